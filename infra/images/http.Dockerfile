# The generator with the native HTTP engine. The context is what `cargo xtask image` puts together: a folder `rootfs` with
# the static program, the certificate authorities, an empty /tmp that anybody may write to, and nsswitch.conf.
FROM scratch

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="floodgate-generator" \
      org.opencontainers.image.description="Sends a task's share of a Floodgate load test" \
      org.opencontainers.image.source="https://github.com/floodgate-load/floodgate" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Modes come with the files; the owner is root, so that the program cannot change itself. /tmp is the only place that is written to: a
# mount may stand in for it, and without one it is the container's own layer.
COPY rootfs/ /

ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/floodgate-generator"]
