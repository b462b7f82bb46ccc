# syntax=docker/dockerfile:1
# Builds with everything, runs with what is needed: the compiled code and the production dependencies.

FROM node:24-bookworm-slim AS build
WORKDIR /tocsin
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Tocsin" \
      org.opencontainers.image.description="IoT notification backend" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /tocsin
COPY --from=build /tocsin/package.json /tocsin/LICENSE ./
COPY --from=build /tocsin/node_modules node_modules
COPY --from=build /tocsin/dist dist
COPY --from=build /tocsin/config config
RUN ln -s /tocsin/dist/cli/main.js /usr/local/bin/tocsin \
 && install -d -o node -g node -m 0700 /data
USER node

# In a container every port listens on all addresses, so a device without a token is never let in.
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=16 \
    TOCSIN_STORE__DIR=/data \
    TOCSIN_MQTT__HOST=0.0.0.0 \
    TOCSIN_TCP__HOST=0.0.0.0 \
    TOCSIN_HTTP__HOST=0.0.0.0 \
    TOCSIN_DEVICES__ANONYMOUS=false
VOLUME /data
EXPOSE 1883 7883 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s CMD ["tocsin", "healthcheck"]
ENTRYPOINT ["tocsin"]
CMD ["serve"]
