# The generator as the supervisor of Gatling. The context is what `cargo xtask image --engine gatling` puts together: a folder `rootfs` as for
# the native engine, and beside it the engine at /opt/gatling, and a Java runtime at /opt/java with the libraries that it loads.
FROM scratch

ARG VERSION=unknown
ARG REVISION=unknown
ARG ENGINE=unknown
LABEL org.opencontainers.image.title="floodgate-generator" \
      org.opencontainers.image.description="Sends a task's share of a Floodgate load test" \
      org.opencontainers.image.source="https://github.com/floodgate-load/floodgate" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      floodgate.engine="${ENGINE}"

# Modes come with the files; the owner is root, so that the program cannot change itself. /tmp is the only place that is written to: a
# mount may stand in for it, and without one it is the container's own layer.
COPY rootfs/ /

ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
ENV FLOODGATE_GATLING=/opt/gatling JAVA_HOME=/opt/java
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/floodgate-generator"]
