export class RecordingEngine {
  static start(): Promise<RecordingEngine>;
  readonly requests: readonly { readonly head: string; readonly body: string }[];
  readonly probes: readonly { readonly head: string; readonly body: string }[];
  readonly url: string;
  readonly stray: string;
  forget(): void;
  stop(): Promise<void>;
}
export function sendBytes(
  url: string,
  bytes: string,
  limitMs?: number,
): Promise<{ readonly answer: string; readonly closed: boolean; readonly ms: number }>;
