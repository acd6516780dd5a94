package main

import (
	"fmt"
	"time"
)

// A Block is one of a chain.
type Block struct {
	Height int32  `json:"height"`
	Hash   string `json:"hash"`
}

// A Ledger is what an application has been told of a chain, from the block on with which
// it began. Whoever tells it may repeat things, and take blocks back, but not leave any out.
type Ledger struct {
	first  int32 // the height of the first of hashes
	hashes []string
	seen   map[string]time.Time // when each block was first told of, also of those taken back

	missed    []string // what it was not told, in words
	repeated  int
	takenBack int
}

// Connect is told that a block is the next.
func (l *Ledger) Connect(block Block, at time.Time) {
	if l.seen == nil {
		l.seen, l.first = map[string]time.Time{}, block.Height
	}
	next := l.tip() + 1
	switch {
	case l.At(block.Height) == block.Hash:
		l.repeated++
		return
	case block.Height > next:
		l.missed = append(l.missed, fmt.Sprintf("%d blocks from %d on", block.Height-next, next))
		l.first, l.hashes = block.Height, nil
	case block.Height < l.first:
		l.missed = append(l.missed, fmt.Sprintf("that the chain parts below its first block, %d", l.first))
		l.first, l.hashes = block.Height, nil
	case block.Height < next:
		l.missed = append(l.missed, fmt.Sprintf("that block %d was taken back", block.Height))
		l.hashes = l.hashes[:block.Height-l.first]
	}
	l.hashes = append(l.hashes, block.Hash)
	if _, known := l.seen[block.Hash]; !known {
		l.seen[block.Hash] = at
	}
}

// Disconnect is told that the last block is no longer part of the chain.
func (l *Ledger) Disconnect(block Block) {
	if len(l.hashes) == 0 || block.Height != l.tip() || block.Hash != l.At(block.Height) {
		l.repeated++
		return
	}
	l.hashes = l.hashes[:len(l.hashes)-1]
	l.takenBack++
}

// Rewind takes back the blocks above a height.
func (l *Ledger) Rewind(height int32) {
	for l.tip() > height && len(l.hashes) > 0 {
		l.Disconnect(l.Tip())
	}
}

// Begun reports whether it has been told of anything.
func (l *Ledger) Begun() bool { return l.seen != nil }

// Tip is the last block.
func (l *Ledger) Tip() Block { return Block{l.tip(), l.At(l.tip())} }

func (l *Ledger) tip() int32 { return l.first + int32(len(l.hashes)) - 1 }

// At returns the hash of the block at a height; nothing where there is none.
func (l *Ledger) At(height int32) string {
	if height < l.first || height > l.tip() {
		return ""
	}
	return l.hashes[height-l.first]
}

// HeightOf returns the height of a block of the chain.
func (l *Ledger) HeightOf(hash string) (int32, bool) {
	for height := l.tip(); height >= l.first; height-- {
		if l.At(height) == hash {
			return height, true
		}
	}
	return 0, false
}
