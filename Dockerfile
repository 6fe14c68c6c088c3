# Production dependencies only. The base image contains Node, so the pinned one, an optional dependency, is omitted.
FROM docker.io/library/node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM docker.io/library/node:26-slim
# The memory settings of workers, see src/app/supervisor.ts.
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    MALLOC_TRIM_THRESHOLD_=1048576 \
    RECORD_BROKER_DATA=/data \
    RECORD_BROKER_LISTEN=0.0.0.0:8080
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE README.md ./
COPY bin ./bin
COPY src ./src
RUN mkdir -m 700 /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "const scheme = process.env.RECORD_BROKER_TLS_CERT ? 'https' : 'http'; require(scheme).get(scheme + '://127.0.0.1:8080/healthz', { rejectUnauthorized: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# Listening beyond loopback requires RECORD_BROKER_TOKEN.
ENTRYPOINT ["node", "src/main.ts"]
CMD ["serve"]
