package bitcoind

import (
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/address/v2/bech32"
)

// ChecksumFits reports whether the checksum of a regtest address fits. Which letters may
// stand in one the resource definitions tell.
func ChecksumFits(address string) bool {
	if !strings.HasPrefix(address, "bcrt1") {
		_, _, err := base58.CheckDecode(address)
		return err == nil
	}
	// The first witness version has a checksum of its own (BIP 350).
	_, data, checksum, err := bech32.DecodeGeneric(address)
	return err == nil && len(data) > 0 && (data[0] == 0) == (checksum == bech32.Version0)
}

// Anyone is the descriptor of coins that anybody can spend, with no wallet: OP_TRUE.
const Anyone = "raw(51)"

// PayTo returns the descriptor of coins that are for an address.
func PayTo(address string) string { return "addr(" + address + ")" }
