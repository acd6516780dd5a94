package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Node is one node of a network, asked as a person in front of it would: with
// bitcoin-cli, in its pod.
type Node struct {
	Namespace string
	Network   string
	Ordinal   int

	cluster *Cluster
}

// Pod is the name of the node's pod.
func (n Node) Pod() string { return fmt.Sprintf("%s-%d", n.Network, n.Ordinal) }

func (n Node) String() string { return n.Namespace + "/" + n.Pod() }

// Bitcoin runs bitcoin-cli in the node's pod, and returns what it prints.
func (n Node) Bitcoin(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	command := append([]string{"exec", n.Pod(), "--namespace", n.Namespace, "--", "bitcoin-cli"}, args...)
	answer, err := n.cluster.Kubectl(ctx, command...)
	return strings.TrimSpace(answer), err
}

// Peers asks the node for its connections.
func (n Node) Peers(ctx context.Context) ([]Peer, error) {
	answer, err := n.Bitcoin(ctx, "getpeerinfo")
	if err != nil {
		return nil, err
	}
	var peers []Peer
	if err := json.Unmarshal([]byte(answer), &peers); err != nil {
		return nil, fmt.Errorf("read the peers of %s: %w", n, err)
	}
	return peers, nil
}

// Height asks the node how many blocks its chain has.
func (n Node) Height(ctx context.Context) (int, error) {
	answer, err := n.Bitcoin(ctx, "getblockcount")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(answer)
}

// Mine makes the node mine a block, and returns its hash.
func (n Node) Mine(ctx context.Context) (hash string, err error) {
	answer, err := n.Bitcoin(ctx, "generatetodescriptor", "1", rewardTo(n.Namespace+"/"+n.Network))
	if err != nil {
		return "", err
	}
	var hashes []string
	if err := json.Unmarshal([]byte(answer), &hashes); err != nil || len(hashes) != 1 {
		return "", fmt.Errorf("%s was to mine one block and answered %q", n, answer)
	}
	return hashes[0], nil
}

// rewardTo describes where a block's reward goes, without a wallet: to a script
// that is nothing but a name, which anyone may spend. All regtest chains begin
// with the same block, so two that are mined alike in the same second would go
// on with the same block, too; the name tells them apart.
func rewardTo(name string) string {
	const pushData1 = 0x4c // the next byte is the length
	return fmt.Sprintf("raw(%02x%02x%x)", pushData1, len(name), name)
}

// Has asks whether the node has a block, and not its header alone.
func (n Node) Has(ctx context.Context, block string) (bool, error) {
	_, err := n.Bitcoin(ctx, "getblock", block, "0")
	var failed *CommandError
	if errors.As(err, &failed) && (strings.Contains(failed.Stderr, "Block not found") || strings.Contains(failed.Stderr, "not fully downloaded")) {
		return false, nil
	}
	return err == nil, err
}
