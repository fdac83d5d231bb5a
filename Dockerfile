# The router as an image. The build context is the root of the repository, for this file and for
# docker/Dockerfile, which is the same file for builds that name it (`-f docker/Dockerfile`).
#
#   docker build -t vllm-router .
#   docker run --rm -p 8001:8001 vllm-router --service-discovery static \
#     --static-backends http://engine:8000 --routing-logic roundrobin
#
# RUN lines hold relative paths alone, so that test/image can run them without a container engine.

FROM node:24-bookworm-slim AS build
# A package mirror, when one is needed: --build-arg NPM_CONFIG_REGISTRY=https://...
ARG NPM_CONFIG_REGISTRY
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY page ./page
RUN node_modules/.bin/nest build && node page/build.mjs
RUN chmod 0755 dist/main.js && mkdir bin && ln -s ../dist/main.js bin/vllm-router

FROM node:24-bookworm-slim AS packages
ARG NPM_CONFIG_REGISTRY
WORKDIR /packages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="vllm-router" \
      org.opencontainers.image.description="One OpenAI server in front of many vLLM engines" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    PATH=/opt/vllm-router/bin:$PATH
WORKDIR /opt/vllm-router
COPY --from=packages /packages/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY --from=build /build/bin ./bin
COPY package.json LICENSE README.md ./
# The user `node` of the base image, by number: Kubernetes can then see that it is not root.
USER 1000:1000
EXPOSE 8001
# The port is the one of the flags, else of the environment, else the default; one from a --config file
# is not seen. Where it speaks TLS, the certificate is for another name. Kubernetes does not use this: its probes are in k8s/.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "const flag = /.*\\0--port[=\\0](\\d+)/s.exec(require('fs').readFileSync('/proc/1/cmdline', 'latin1')); const port = flag?.[1] ?? /^\\d+$/.exec(process.env.VLLM_ROUTER_PORT ?? '')?.[0] ?? 8001; const at = '://127.0.0.1:' + port + '/health'; fetch('http' + at).catch(() => { process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; return fetch('https' + at); }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The binary alone: arguments of `docker run` and `args` of a manifest are its flags.
ENTRYPOINT ["vllm-router"]
