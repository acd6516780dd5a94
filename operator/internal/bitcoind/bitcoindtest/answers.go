package bitcoindtest

import "fmt"

// What a node answers has all fields that bitcoind 29's answers have, so that it is as
// long as theirs. Those that the simulation knows nothing of always say the same.

type chainAnswer struct {
	Chain                string   `json:"chain"`
	Blocks               int32    `json:"blocks"`
	Headers              int32    `json:"headers"`
	BestBlockHash        string   `json:"bestblockhash"`
	Bits                 string   `json:"bits"`
	Target               string   `json:"target"`
	Difficulty           float64  `json:"difficulty"`
	Time                 int64    `json:"time"`
	MedianTime           int64    `json:"mediantime"`
	VerificationProgress float64  `json:"verificationprogress"`
	InitialBlockDownload bool     `json:"initialblockdownload"`
	ChainWork            string   `json:"chainwork"`
	SizeOnDisk           int64    `json:"size_on_disk"`
	Pruned               bool     `json:"pruned"`
	Warnings             []string `json:"warnings"`
}

func (n *node) chainAnswer() chainAnswer {
	return chainAnswer{
		Chain: "regtest", Blocks: n.tip.height, Headers: n.tip.height, BestBlockHash: n.tip.hash,
		Bits: "207fffff", Target: "7fffff0000000000000000000000000000000000000000000000000000000000", Difficulty: 4.656542373906925e-10,
		Time: n.tip.time.Unix(), MedianTime: n.tip.time.Unix(), VerificationProgress: 1, InitialBlockDownload: !n.fresh,
		ChainWork: n.tip.work(), SizeOnDisk: sizeOnDisk * (int64(n.tip.height) + 1), Warnings: []string{},
	}
}

type networkAnswer struct {
	Version            int                `json:"version"`
	SubVersion         string             `json:"subversion"`
	ProtocolVersion    int                `json:"protocolversion"`
	LocalServices      string             `json:"localservices"`
	LocalServicesNames []string           `json:"localservicesnames"`
	LocalRelay         bool               `json:"localrelay"`
	TimeOffset         int                `json:"timeoffset"`
	NetworkActive      bool               `json:"networkactive"`
	Connections        int                `json:"connections"`
	ConnectionsIn      int                `json:"connections_in"`
	ConnectionsOut     int                `json:"connections_out"`
	Networks           []reachableNetwork `json:"networks"`
	RelayFee           float64            `json:"relayfee"`
	IncrementalFee     float64            `json:"incrementalfee"`
	LocalAddresses     []string           `json:"localaddresses"`
	Warnings           []string           `json:"warnings"`
}

type reachableNetwork struct {
	Name                      string `json:"name"`
	Limited                   bool   `json:"limited"`
	Reachable                 bool   `json:"reachable"`
	Proxy                     string `json:"proxy"`
	ProxyRandomizeCredentials bool   `json:"proxy_randomize_credentials"`
}

var (
	serviceBits  = "0000000000000c09"
	serviceNames = []string{"NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"}
)

func (n *node) networkAnswer() networkAnswer {
	answer := networkAnswer{
		Version: nodeVersion, SubVersion: n.userAgent(), ProtocolVersion: protocolVersion,
		LocalServices: serviceBits, LocalServicesNames: serviceNames, LocalRelay: true, NetworkActive: true,
		Connections: len(n.connections), RelayFee: 0.00001, IncrementalFee: 0.00001,
		LocalAddresses: []string{}, Warnings: []string{},
	}
	for _, c := range n.connections {
		if c.from.node == n {
			answer.ConnectionsOut++
		} else {
			answer.ConnectionsIn++
		}
	}
	for _, name := range []string{"ipv4", "ipv6", "onion", "i2p", "cjdns"} {
		isIP := name == "ipv4" || name == "ipv6"
		answer.Networks = append(answer.Networks, reachableNetwork{Name: name, Limited: !isIP, Reachable: isIP})
	}
	return answer
}

type peerAnswer struct {
	ID                  int            `json:"id"`
	Addr                string         `json:"addr"`
	AddrBind            string         `json:"addrbind"`
	AddrLocal           string         `json:"addrlocal"`
	Network             string         `json:"network"`
	Services            string         `json:"services"`
	ServicesNames       []string       `json:"servicesnames"`
	RelayTransactions   bool           `json:"relaytxes"`
	LastSend            int64          `json:"lastsend"`
	LastRecv            int64          `json:"lastrecv"`
	LastTransaction     int64          `json:"last_transaction"`
	LastBlock           int64          `json:"last_block"`
	BytesSent           int            `json:"bytessent"`
	BytesRecv           int            `json:"bytesrecv"`
	ConnTime            int64          `json:"conntime"`
	TimeOffset          int            `json:"timeoffset"`
	PingTime            float64        `json:"pingtime"`
	MinPing             float64        `json:"minping"`
	Version             int            `json:"version"`
	SubVer              string         `json:"subver"`
	Inbound             bool           `json:"inbound"`
	HighBandwidthTo     bool           `json:"bip152_hb_to"`
	HighBandwidthFrom   bool           `json:"bip152_hb_from"`
	StartingHeight      int32          `json:"startingheight"`
	PresyncedHeaders    int32          `json:"presynced_headers"`
	SyncedHeaders       int32          `json:"synced_headers"`
	SyncedBlocks        int32          `json:"synced_blocks"`
	InFlight            []int32        `json:"inflight"`
	AddrRelayEnabled    bool           `json:"addr_relay_enabled"`
	AddrProcessed       int            `json:"addr_processed"`
	AddrRateLimited     int            `json:"addr_rate_limited"`
	Permissions         []string       `json:"permissions"`
	MinFeeFilter        float64        `json:"minfeefilter"`
	BytesSentPerMessage map[string]int `json:"bytessent_per_msg"`
	BytesRecvPerMessage map[string]int `json:"bytesrecv_per_msg"`
	ConnectionType      string         `json:"connection_type"`
	TransportProtocol   string         `json:"transport_protocol_type"`
	SessionID           string         `json:"session_id"`
}

// bytesPerMessage is the traffic of a connection of some minutes.
var bytesPerMessage = map[string]int{
	"addrv2": 160, "cmpctblock": 1284, "feefilter": 64, "getaddr": 48, "getdata": 111, "getheaders": 1186,
	"headers": 952, "inv": 366, "ping": 3136, "pong": 3136, "sendaddrv2": 48, "sendcmpct": 66,
	"sendheaders": 48, "tx": 2048, "verack": 48, "version": 254, "wtxidrelay": 48,
}

func (n *node) peerAnswers() []peerAnswer {
	answers := []peerAnswer{}
	for _, c := range n.connections {
		answers = append(answers, n.peerAnswer(c))
	}
	return answers
}

func (n *node) peerAnswer(c *connection) peerAnswer {
	said := n.peer(c)
	answer := peerAnswer{
		ID: c.serial, Addr: said.Addr, AddrBind: n.address, AddrLocal: n.address, Network: "ipv4",
		Services: "0000000000000000", ServicesNames: []string{}, LastSend: said.LastSend, LastRecv: said.LastRecv,
		ConnTime: seconds(c.from.sent), Version: int(said.Version), SubVer: said.SubVer, Inbound: said.Inbound,
		StartingHeight: -1, PresyncedHeaders: -1, SyncedHeaders: -1, SyncedBlocks: -1,
		InFlight: []int32{}, Permissions: []string{}, ConnectionType: "manual", TransportProtocol: "detecting",
		BytesSentPerMessage: map[string]int{}, BytesRecvPerMessage: map[string]int{},
	}
	if said.Inbound {
		answer.ConnectionType = "inbound"
	}
	if !c.handshaken {
		return answer
	}
	answer.Services, answer.ServicesNames, answer.RelayTransactions = serviceBits, serviceNames, true
	answer.LastBlock, answer.BytesSent, answer.BytesRecv = n.tip.time.Unix(), 13103, 13103
	answer.PingTime, answer.MinPing, answer.MinFeeFilter = 0.000412, 0.000187, 0.00001
	answer.HighBandwidthTo, answer.HighBandwidthFrom, answer.AddrRelayEnabled = true, true, true
	answer.StartingHeight, answer.SyncedHeaders, answer.SyncedBlocks = 0, n.tip.height, n.tip.height
	answer.BytesSentPerMessage, answer.BytesRecvPerMessage = bytesPerMessage, bytesPerMessage
	answer.TransportProtocol, answer.SessionID = "v2", fmt.Sprintf("%064x", c.serial)
	return answer
}

type addedAnswer struct {
	Name      string         `json:"addednode"`
	Connected bool           `json:"connected"`
	Addresses []addedAddress `json:"addresses"`
}

type addedAddress struct {
	Address   string `json:"address"`
	Connected string `json:"connected"`
}

func (n *node) addedAnswers() []addedAnswer {
	answers := []addedAnswer{}
	for _, name := range n.added {
		answer := addedAnswer{Name: name, Addresses: []addedAddress{}}
		if c := n.dialled(name); c != nil {
			answer.Connected = true
			answer.Addresses = append(answer.Addresses, addedAddress{Address: c.to.node.address, Connected: "outbound"})
		}
		answers = append(answers, answer)
	}
	return answers
}

type mempoolAnswer struct {
	Loaded              bool    `json:"loaded"`
	Size                int     `json:"size"`
	Bytes               int     `json:"bytes"`
	Usage               int     `json:"usage"`
	TotalFee            float64 `json:"total_fee"`
	MaxMempool          int     `json:"maxmempool"`
	MempoolMinFee       float64 `json:"mempoolminfee"`
	MinRelayTxFee       float64 `json:"minrelaytxfee"`
	IncrementalRelayFee float64 `json:"incrementalrelayfee"`
	UnbroadcastCount    int     `json:"unbroadcastcount"`
	FullRBF             bool    `json:"fullrbf"`
}

func (n *node) mempoolAnswer() mempoolAnswer {
	waiting := len(n.unconfirmed())
	return mempoolAnswer{
		Loaded: true, Size: waiting, Bytes: paymentSize * waiting, Usage: 1200 * waiting, MaxMempool: 300_000_000,
		MempoolMinFee: 0.00001, MinRelayTxFee: 0.00001, IncrementalRelayFee: 0.00001, FullRBF: true,
	}
}

type tipAnswer struct {
	Height       int32  `json:"height"`
	Hash         string `json:"hash"`
	BranchLength int    `json:"branchlen"`
	Status       string `json:"status"`
}

// tipAnswers are the node's tip, and those blocks that it holds for invalid.
func (n *node) tipAnswers() []tipAnswer {
	answers := []tipAnswer{{Height: n.tip.height, Hash: n.tip.hash, Status: "active"}}
	for _, block := range n.invalid {
		answers = append(answers, tipAnswer{Height: block.height, Hash: block.hash, BranchLength: 1, Status: "invalid"})
	}
	return answers
}
