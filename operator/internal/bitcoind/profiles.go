package bitcoind

import "slices"

// Profile returns the methods that a profile of users may call, in order; nil for one
// that there is not.
func Profile(name string) []string {
	return slices.Compact(slices.Sorted(slices.Values(profiles[name])))
}

// profiles are the methods by what users are for. What a node does not know stands
// there for other versions of it, or since an application takes "no such method" for an
// answer and "forbidden" for a failure.
//
// None has a method that holds one of the node's few RPC threads for as long as a
// client likes (waitforblock and its kin), scans all coins, reads or writes a file that
// the client names, changes the node's peers or bans, or ends it.
var profiles = map[string][]string{
	"read": read,

	// By the sources of LND v0.20 (chainreg, lnwallet/chainfee, blockcache) and of
	// btcwallet v0.18 (chain), with which LND reaches bitcoind, and of Core Lightning's
	// plugins/bcli.c. With LND 0.20, whom make e2e-lnd runs, it is held against what that
	// calls. LND, and whatever is on btcd's rpcclient, asks for "getinfo" to tell btcd from
	// bitcoind, and goes on only when there is no such method; Core Lightning waits for
	// "echo".
	"lightning": {
		"echo",
		"estimatesmartfee",
		"getbestblockhash",
		"getblock",
		"getblockchaininfo",
		"getblockcount",
		"getblockfrompeer", // Core Lightning, of a node that prunes
		"getblockhash",
		"getblockheader",
		"getdeploymentinfo",
		"getinfo",
		"getmempoolinfo",
		"getnetworkinfo",
		"getnodeaddresses",
		"getpeerinfo",
		"getrawmempool",
		"getrawtransaction",
		"gettxout",
		"gettxspendingprevout",
		"getzmqnotifications",
		"sendrawtransaction",
		"submitpackage",
		"testmempoolaccept",
		"uptime",
	},

	// By the sources of electrs v0.11 (src/daemon.rs), which fetches blocks by P2P; not
	// tried with it. Beside these what others ask for one block, header or fee by.
	"electrum": {
		"estimatesmartfee",
		"getbestblockhash",
		"getblock",
		"getblockchaininfo",
		"getblockcount",
		"getblockhash",
		"getblockheader",
		"getmempoolentry",
		"getmempoolinfo",
		"getnetworkinfo",
		"getrawmempool",
		"getrawtransaction",
		"sendrawtransaction",
		"submitpackage",
		"testmempoolaccept",
		"uptime",
	},

	// Pools and miners, by BIP 22 and 23, and what makes blocks on regtest.
	"miner": {
		"generateblock",
		"generatetoaddress",
		"generatetodescriptor",
		"getbestblockhash",
		"getblock",
		"getblockchaininfo",
		"getblockcount",
		"getblockhash",
		"getblockheader",
		"getblocktemplate",
		"getconnectioncount",
		"getdifficulty",
		"getmempoolinfo",
		"getmininginfo",
		"getnetworkhashps",
		"getnetworkinfo",
		"getprioritisedtransactions",
		"getrawmempool",
		"prioritisetransaction",
		"submitblock",
		"submitheader",
		"uptime",
		"validateaddress",
	},

	// The nodes' own wallets: all of them, with their keys. Not what reads or writes
	// files of the node (backupwallet, dumpwallet, importwallet, restorewallet,
	// migratewallet), nor what newer versions no longer have.
	"wallet": slices.Concat(read, []string{
		"abandontransaction",
		"abortrescan",
		"analyzepsbt",
		"bumpfee",
		"combinepsbt",
		"combinerawtransaction",
		"converttopsbt",
		"createmultisig",
		"createpsbt",
		"createrawtransaction",
		"createwallet",
		"createwalletdescriptor",
		"decodepsbt",
		"descriptorprocesspsbt",
		"encryptwallet",
		"finalizepsbt",
		"fundrawtransaction",
		"getaddressesbylabel",
		"getaddressinfo",
		"getbalance",
		"getbalances",
		"gethdkeys",
		"getnewaddress",
		"getrawchangeaddress",
		"getreceivedbyaddress",
		"getreceivedbylabel",
		"gettransaction",
		"getwalletinfo",
		"importdescriptors",
		"importprunedfunds",
		"joinpsbts",
		"keypoolrefill",
		"listaddressgroupings",
		"listdescriptors",
		"listlabels",
		"listlockunspent",
		"listreceivedbyaddress",
		"listreceivedbylabel",
		"listsinceblock",
		"listtransactions",
		"listunspent",
		"listwalletdir",
		"listwallets",
		"loadwallet",
		"lockunspent",
		"psbtbumpfee",
		"removeprunedfunds",
		"rescanblockchain",
		"send",
		"sendall",
		"sendmany",
		"sendrawtransaction",
		"sendtoaddress",
		"setlabel",
		"setwalletflag",
		"signmessage",
		"signrawtransactionwithwallet",
		"simulaterawtransaction",
		"submitpackage",
		"testmempoolaccept",
		"unloadwallet",
		"utxoupdatepsbt",
		"walletcreatefundedpsbt",
		"walletlock",
		"walletpassphrase",
		"walletpassphrasechange",
		"walletprocesspsbt",
	}),
}

// read looks at the chain, the mempool and the node, and changes nothing.
var read = []string{
	"decoderawtransaction",
	"decodescript",
	"deriveaddresses",
	"estimatesmartfee",
	"getbestblockhash",
	"getblock",
	"getblockchaininfo",
	"getblockcount",
	"getblockfilter",
	"getblockhash",
	"getblockheader",
	"getblockstats",
	"getchainstates",
	"getchaintips",
	"getchaintxstats",
	"getconnectioncount",
	"getdeploymentinfo",
	"getdescriptorinfo",
	"getdifficulty",
	"getindexinfo",
	"getmempoolancestors",
	"getmempooldescendants",
	"getmempoolentry",
	"getmempoolinfo",
	"getmininginfo",
	"getnettotals",
	"getnetworkhashps",
	"getnetworkinfo",
	"getpeerinfo",
	"getrawmempool",
	"getrawtransaction",
	"gettxout",
	"gettxoutproof",
	"gettxspendingprevout",
	"getzmqnotifications",
	"help",
	"uptime",
	"validateaddress",
	"verifymessage",
	"verifytxoutproof",
}
