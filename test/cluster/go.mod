module github.com/bitcoin-operator/bitcoin-operator/test/cluster

go 1.26.0

require golang.org/x/sys v0.49.0
