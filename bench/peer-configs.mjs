// The configuration files of the peers. `place` is `{ port, folder, engines }`, engines as URLs.
import process from 'node:process';

const hostPort = (url) => url.replace('http://', '');

export const nginxConfig = ({ port, folder, engines }) => `
${process.getuid() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log warn;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_max_body_size 64m;
  client_body_buffer_size 128k;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `  ${kind}_temp_path ${folder}/${kind};`).join('\n')}
  upstream engines {
${engines.map((url) => `    server ${hostPort(url)};`).join('\n')}
    keepalive 4096;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://engines;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`;

// Without http-no-delay HAProxy holds small chunks back for tens of milliseconds.
export const haproxyConfig = ({ port, engines }) => `
global
  nbthread 1
  maxconn 8000
defaults
  mode http
  option http-keep-alive
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
listen router
  bind 127.0.0.1:${port} backlog 4096
  balance roundrobin
${engines.map((url, i) => `  server engine${i} ${hostPort(url)} pool-max-conn 8192`).join('\n')}
`;

const EXTENSION = 'type.googleapis.com/envoy.extensions.filters';

/** Envoy reads YAML, of which JSON is a part. */
export function envoyConfig({ port, engines }) {
  const address = (at) => ({ socket_address: { address: '127.0.0.1', port_value: at } });
  const limits = { max_connections: 16384, max_pending_requests: 16384, max_requests: 16384 };
  const manager = {
    '@type': `${EXTENSION}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'router',
    stream_idle_timeout: '0s',
    http_filters: [
      { name: 'envoy.filters.http.router', typed_config: { '@type': `${EXTENSION}.http.router.v3.Router` } },
    ],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'engines', timeout: '0s' } }],
        },
      ],
    },
  };
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }];
  const endpoints = engines.map((url) => ({ endpoint: { address: address(Number(new URL(url).port)) } }));
  const cluster = {
    name: 'engines',
    type: 'STATIC',
    connect_timeout: '5s',
    lb_policy: 'ROUND_ROBIN',
    circuit_breakers: { thresholds: [limits] },
    load_assignment: { cluster_name: 'engines', endpoints: [{ lb_endpoints: endpoints }] },
  };
  const listener = { name: 'http', address: address(port), filter_chains: [{ filters }] };
  return JSON.stringify({ static_resources: { listeners: [listener], clusters: [cluster] } });
}

export const traefikConfig = ({ engines }) =>
  JSON.stringify({
    http: {
      routers: { all: { rule: 'PathPrefix(`/`)', service: 'engines', entryPoints: ['web'] } },
      services: { engines: { loadBalancer: { servers: engines.map((url) => ({ url })) } } },
    },
  });

export const litellmConfig = ({ engines }) =>
  JSON.stringify({
    model_list: engines.map((url) => ({
      model_name: 'm',
      litellm_params: { model: 'openai/m', api_base: `${url}/v1`, api_key: 'sk-bench' },
    })),
    router_settings: { routing_strategy: 'simple-shuffle', num_retries: 0 },
    litellm_settings: { telemetry: false, request_timeout: 600, num_retries: 0 },
  });
