import { drawAgent } from './agent.js';
import { drawChat } from './chat.js';
import { conversations } from './conversations.js';
import { drawUnique } from './unique.js';
import type { Workload } from './workload.js';

/** Share of new conversations that are chats, and that are agents; the others are single requests. */
const CHATS = 0.4;
const AGENTS = 0.1;

/** What one fleet may see in a day: chats, agents and single prompts side by side. */
export const mix: Workload = {
  name: 'mix',
  description: '40 % chats, 10 % agents, 50 % single prompts, each as in the workload of that name',
  rate: 12,
  begin(seed, rate) {
    const [asChat, asAgent] = [drawChat(), drawAgent()];
    return conversations(seed, rate, (random, index) => {
      const kind = random();
      if (kind < CHATS) return asChat(random, index);
      return kind < CHATS + AGENTS ? asAgent(random, index) : drawUnique(random, index);
    });
  },
};
