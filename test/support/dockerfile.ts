import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';

/** One instruction of a Dockerfile: its name in capitals, and the rest of the line as written. */
export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The instructions from one FROM to the next. */
export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** What a stage leaves behind: a tree, and what a container engine would start there. */
export interface Image {
  /** Stands for `/`. */
  readonly root: string;
  workdir: string;
  user: string;
  readonly env: Map<string, string>;
  entrypoint: readonly string[];
  healthcheck: readonly string[];
  readonly others: Instruction[];
}

/** Comments and continued lines are resolved; a `#` inside an instruction is text. */
export function readInstructions(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  return lines
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^\s*(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), rest };
    });
}

export function readStages(text: string): Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const instruction of readInstructions(text)) {
    if (instruction.name === 'FROM') {
      const [base = '', , name = String(stages.length)] = instruction.rest.split(/\s+/);
      stages.push({ name, base, instructions: [] });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** Sources, destination and `--from` of a COPY line. */
export function readCopy(rest: string): { from: string | null; sources: string[]; to: string } {
  const words = rest.trim().split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length) ?? null;
  const paths = words.filter((word) => !word.startsWith('--'));
  return { from, sources: paths.slice(0, -1), to: paths.at(-1) ?? '' };
}

/** Whether a path of the context gets into the build: the last pattern of .dockerignore that fits decides. */
export function contextFilter(ignore: string): (path: string) => boolean {
  const rules = ignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), pattern: globOf(line.replace(/^!/, '')) }));
  return (path) => rules.reduce((kept, { keeps, pattern }) => (pattern.test(path) ? keeps : kept), true);
}

/** A pattern fits a path and all that lies below it. */
function globOf(pattern: string): RegExp {
  const body = pattern
    .replace(/[.+^${}()|[\]]/g, '\\$&')
    .replace(/\*+/g, (stars) => (stars === '*' ? '[^/]*' : '.*'));
  return new RegExp(`^${body}(/|$)`);
}

/**
 * Builds the stages of a Dockerfile without a container engine: each in an empty directory that stands for
 * `/`, its base image played by this machine. Runs COPY, RUN, WORKDIR, ENV; notes USER, ENTRYPOINT and
 * HEALTHCHECK. RUN lines must not use absolute paths, which would be this machine's.
 * @param context the build context, with its .dockerignore
 * @param work an empty directory
 */
export async function buildImage(dockerfile: string, context: string, work: string): Promise<Image> {
  const kept = contextFilter(await readFile(join(context, '.dockerignore'), 'utf8'));
  const images = new Map<string, Image>();
  let last: Image | undefined;
  for (const stage of readStages(dockerfile)) {
    last = {
      root: join(work, stage.name),
      workdir: '/',
      user: 'root',
      env: new Map(),
      entrypoint: [],
      healthcheck: [],
      others: [],
    };
    await mkdir(last.root, { recursive: true });
    images.set(stage.name, last);
    for (const instruction of stage.instructions) {
      await follow(instruction, last, images, { context, kept });
    }
  }
  if (last === undefined) throw new Error('no FROM');
  return last;
}

interface Context {
  readonly context: string;
  readonly kept: (path: string) => boolean;
}

async function follow(
  { name, rest }: Instruction,
  image: Image,
  images: ReadonlyMap<string, Image>,
  context: Context,
): Promise<void> {
  switch (name) {
    case 'WORKDIR':
      image.workdir = posix.resolve(image.workdir, rest.trim());
      await mkdir(join(image.root, image.workdir), { recursive: true });
      return;
    case 'ENV':
      for (const [, key = '', value = ''] of rest.matchAll(/(\w+)=("[^"]*"|\S+)/g)) {
        image.env.set(key, value.replace(/^"|"$/g, ''));
      }
      return;
    case 'COPY':
      return copy(rest, image, images, context);
    case 'RUN':
      return run(rest, image);
    case 'USER':
      image.user = rest.trim();
      return;
    case 'ENTRYPOINT':
      image.entrypoint = JSON.parse(rest) as string[];
      return;
    case 'HEALTHCHECK':
      image.healthcheck = JSON.parse(rest.slice(rest.indexOf('CMD') + 'CMD'.length)) as string[];
      return;
    case 'ARG':
    case 'LABEL':
    case 'EXPOSE':
      image.others.push({ name, rest });
      return;
    default:
      throw new Error(`${name} is not known here; teach test/support/dockerfile.ts what it does`);
  }
}

async function copy(
  rest: string,
  image: Image,
  images: ReadonlyMap<string, Image>,
  { context, kept }: Context,
): Promise<void> {
  const { from, sources, to } = readCopy(rest);
  const stage = from === null ? null : images.get(from);
  if (stage === undefined) throw new Error(`COPY --from=${from}: no such stage`);
  const target = join(image.root, posix.resolve(image.workdir, to));
  for (const source of sources) {
    const path = stage === null ? join(context, source) : join(stage.root, source);
    const isFolder = (await stat(path)).isDirectory();
    const intoFolder = isFolder ? target : to.endsWith('/') ? join(target, basename(source)) : target;
    await cp(path, intoFolder, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (one) => stage !== null || one === context || kept(one.slice(context.length + 1)),
    });
  }
}

async function run(command: string, image: Image): Promise<void> {
  const env = { ...outerEnv(), ...Object.fromEntries(image.env), PATH: pathOf(image) };
  const cwd = join(image.root, image.workdir);
  const { code, output } = await execute('sh', ['-c', command], { env, cwd });
  if (code !== 0) throw new Error(`RUN ${command} ended with ${code}:\n${output.slice(-4_000)}`);
}

/** The image's search path; `$PATH` of the base image is this machine's. */
export function pathOf(image: Image): string {
  const path = image.env.get('PATH') ?? '$PATH';
  return path
    .split(':')
    .map((part) => (part === '$PATH' ? (process.env['PATH'] ?? '') : join(image.root, part)))
    .join(':');
}

/** This process's environment without what npm tells the scripts that it runs; where packages come from stays. */
export function outerEnv(): NodeJS.ProcessEnv {
  const kept = /^npm_config_(registry|cache|userconfig|globalconfig|.*proxy|cafile|strict_ssl)$/i;
  const env = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name));
  return { ...Object.fromEntries(env), npm_config_prefer_offline: 'true', NODE_ENV: undefined };
}

/** Runs a program to its end, and returns all it wrote. */
export function execute(
  program: string,
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; cwd: string },
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => (output += text.toString()));
    child.on('error', reject).on('close', (code) => resolve({ code, output }));
  });
}
