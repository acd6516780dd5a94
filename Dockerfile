# The two images of the Bitcoin Network Operator. Their programs are static and
# built outside (`make build`), so that one Go build cache serves everything.

# bitcoind comes from this image; any with bitcoind and bitcoin-cli on its PATH
# and a shell will do. The default is the community's image of Bitcoin Core, in the
# version that was current; the project's tests run another (docs/versions.md).
ARG BITCOIN_IMAGE=docker.io/bitcoin/bitcoin:32.1

FROM scratch AS operator
# And what publishes the certificate for sealing, which runs apart and as another
# account: one image to mirror, not two.
# The third is for nodes, whose pods take it from here: see docs/tenant-guide.md.
COPY .local/image/operator .local/image/publish-certificate .local/image/bitcoind-start /
USER 65532:65532
ENTRYPOINT ["/operator"]

# For plain Docker, without an operator. Its nodes need none of this: any image with
# bitcoind will do for them.
FROM ${BITCOIN_IMAGE} AS bitcoind
USER 0:0
# The user and directories that bitcoind-start and the operator's pods agree on
# (operator/internal/bitcoind/config.go). The empty file is what bitcoin.conf
# includes where nobody gave credentials.
RUN mkdir -p /home/bitcoin/.bitcoin /run/bitcoind \
    && : > /run/bitcoind/rpcauth.conf \
    && chown -R 1000:1000 /home/bitcoin /run/bitcoind
COPY --chown=1000:1000 operator/cmd/bitcoind-start/bitcoin.conf /home/bitcoin/.bitcoin/bitcoin.conf
COPY .local/image/bitcoind-start /usr/local/bin/bitcoind-start
ENV HOME=/home/bitcoin
WORKDIR /home/bitcoin
USER 1000:1000
EXPOSE 18443 18444
STOPSIGNAL SIGTERM
ENTRYPOINT ["bitcoind-start"]
CMD []
