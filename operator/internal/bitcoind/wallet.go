package bitcoind

import (
	"crypto/sha256"
	"fmt"

	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"
)

// Wallet is one from which the operator pays on a regtest network. All of it is derived
// from what everybody may know: regtest's coins are worth nothing. So whichever node it
// is made on, and however often, it has the same coins.
type Wallet struct {
	private, public string // its extended keys
}

// WalletOf returns the wallet of a network that is identified so.
func WalletOf(identity string) (Wallet, error) {
	seed := sha256.Sum256([]byte("bitcoin-operator.github.io/wallet/" + identity))
	key, err := hdkeychain.NewMaster(seed[:], &chaincfg.RegressionNetParams)
	if err != nil { // one in 2^127 is no key
		return Wallet{}, fmt.Errorf("derive a wallet's key: %w", err)
	}
	public, err := key.Neuter()
	if err != nil {
		return Wallet{}, fmt.Errorf("derive a wallet's public key: %w", err)
	}
	return Wallet{private: key.String(), public: public.String()}, nil
}

// Mined returns the descriptor of the coins of blocks that are for the wallet.
func (w Wallet) Mined() string { return "wpkh(" + w.public + "/0/0)" }

// descriptors returns those of what others pay to the wallet, and of its change, with
// their private keys. Their checksums are missing.
func (w Wallet) descriptors() (received, change string) {
	return "wpkh(" + w.private + "/0/*)", "wpkh(" + w.private + "/1/*)"
}
