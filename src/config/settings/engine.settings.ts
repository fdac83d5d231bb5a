import { engineUrl, modelName } from '../list-items.js';
import { optionalList } from '../list-kinds.js';
import { choice, int, requiredText, seconds, text } from '../setting-kinds.js';

/** Where engines are found. */
export const ENGINE_SETTINGS = {
  serviceDiscovery: requiredText(
    {
      group: 'Engines',
      dynamic: true,
      help: 'How engines are found: static (listed by --static-backends) or k8s (ready pods of a namespace). Required.',
    },
    { allowed: 'static or k8s', valueName: 'static|k8s', choices: ['static', 'k8s'] },
  ),
  staticBackends: optionalList(
    {
      group: 'Engines',
      dynamic: true,
      help: 'Base URLs of the engines, separated by commas. Required with --service-discovery static.',
    },
    { item: engineUrl, allowed: 'http or https URLs separated by commas', valueName: 'urls' },
  ),
  staticModels: optionalList(
    {
      group: 'Engines',
      dynamic: true,
      help: "The model of each URL of --static-backends, in the same order. Left out: learned from each engine's /v1/models.",
    },
    { item: modelName, allowed: 'model names separated by commas, one for each URL', valueName: 'models' },
  ),
  modelRefreshInterval: seconds(
    {
      group: 'Engines',
      help: 'How often the models of every engine are asked for again, so that adapters appear.',
    },
    { default: 30 },
  ),
  backendHealthCheckTimeoutSeconds: seconds(
    { group: 'Engines', help: 'How long a /v1/models or /health probe of an engine may take.' },
    { default: 10 },
  ),
  upstreamClient: choice(
    {
      group: 'Engines',
      help: "What speaks HTTP to engines: http1 is the router's own client for http URLs, the cheapest; undici serves https URLs in any case.",
    },
    { values: ['http1', 'undici'], default: 'http1' },
  ),
  k8sPort: int(
    { group: 'Kubernetes discovery', dynamic: true, help: 'The port of the engines in their pods.' },
    { default: 8000, min: 1, max: 65_535, valueName: 'port' },
  ),
  k8sNamespace: text(
    { group: 'Kubernetes discovery', dynamic: true, help: 'The namespace of the engine pods.' },
    {
      default: 'default',
      allowed: 'a Kubernetes namespace (lower-case letters, digits and "-", at most 63)',
      valueName: 'name',
      pattern: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    },
  ),
  k8sLabelSelector: text(
    {
      group: 'Kubernetes discovery',
      dynamic: true,
      help: 'Which pods are engines, such as "app=vllm,release=prod". Empty: every pod of the namespace.',
    },
    { default: '', allowed: 'a Kubernetes label selector', valueName: 'selector', pattern: /^\P{Cc}*$/u },
  ),
  k8sServiceDiscoveryType: choice(
    {
      group: 'Kubernetes discovery',
      dynamic: true,
      help: 'pod-ip sends to pods by their address; service-name sends to Services that have a ready endpoint.',
    },
    { values: ['pod-ip', 'service-name'], default: 'pod-ip' },
  ),
  k8sWatcherTimeoutSeconds: seconds(
    {
      group: 'Kubernetes discovery',
      help: 'How long the API server holds one watch before it is renewed; 0 leaves that to the router.',
    },
    { default: 0, min: 0 },
  ),
};
