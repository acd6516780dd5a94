package machine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// probeNftables asks the kernel for its nftables generation, as nft does first
// of all. The program itself may not be installed yet.
func probeNftables() error {
	return ask(unix.NFNL_SUBSYS_NFTABLES, unix.NFT_MSG_GETGEN, nil)
}

// What rules for NetworkPolicies are made of: what iptables calls matches and targets, and
// types of IP sets.
var (
	matches  = []string{"addrtype", "comment", "conntrack", "limit", "mark", "multiport", "physdev", "set"}
	targets  = []string{"MARK", "NFLOG", "REJECT"}
	setTypes = []string{"hash:ip", "hash:net"}
)

// probeIptables asks the kernel for what of those it lacks, as iptables and ipset do. The
// programs themselves may not be installed yet.
func probeIptables() error {
	var lacking []string
	lacks := func(what string, err error) {
		if err != nil {
			lacking = append(lacking, fmt.Sprintf("%s (%v)", what, err))
		}
	}
	for _, name := range matches {
		lacks("match "+name, askExtension(name, 0))
	}
	for _, name := range targets {
		lacks("target "+name, askExtension(name, 1))
	}
	for _, name := range setTypes {
		lacks("IP sets "+name, askSetType(name))
	}
	if len(lacking) == 0 {
		return nil
	}
	return errors.New(strings.Join(lacking, ", "))
}

// askExtension asks for a match (0) or a target (1): NFNL_MSG_COMPAT_GET with name, revision
// and kind, of linux/netfilter/nf_tables_compat.h.
func askExtension(name string, kind uint32) error {
	err := ask(unix.NFNL_SUBSYS_NFT_COMPAT, 0, slices.Concat(attribute(1, text(name)), attribute(2, number(0)), attribute(3, number(kind))))
	if errors.Is(err, syscall.EPROTONOSUPPORT) {
		return nil // it is there, in other revisions than the first
	}
	return err
}

// askSetType asks for a type of IP sets: IPSET_CMD_TYPE with the oldest version of the
// protocol, name and family, of linux/netfilter/ipset/ip_set.h.
func askSetType(name string) error {
	return ask(unix.NFNL_SUBSYS_IPSET, 13, slices.Concat(attribute(1, []byte{6}), attribute(3, text(name)), attribute(5, []byte{unix.NFPROTO_IPV4})))
}

// text and number are what attributes of netfilter's messages hold.
func text(s string) []byte   { return append([]byte(s), 0) }
func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// attribute is one of a netlink message: its length, its kind and its content, filled up.
func attribute(kind uint16, content []byte) []byte {
	a := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofNlAttr+len(content)))
	a = append(binary.NativeEndian.AppendUint16(a, kind), content...)
	for len(a)%unix.NLA_ALIGNTO != 0 {
		a = append(a, 0)
	}
	return a
}

// ask sends a message to a part of netfilter, for IPv4, and returns the error that it
// answers with, if any.
func ask(subsystem, message uint16, attributes []byte) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}); err != nil {
		return err
	}
	length := unix.SizeofNlMsghdr + 4 + len(attributes) // with a struct nfgenmsg, of which the family alone is set
	request := make([]byte, unix.SizeofNlMsghdr+4, length)
	binary.NativeEndian.PutUint32(request[0:], uint32(length))
	binary.NativeEndian.PutUint16(request[4:], subsystem<<8|message)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST)
	request[unix.SizeofNlMsghdr] = unix.NFPROTO_IPV4
	if err := unix.Sendto(fd, append(request, attributes...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return err
	}
	messages, err := syscall.ParseNetlinkMessage(answer[:n])
	if err != nil {
		return err
	}
	if len(messages) == 0 {
		return errors.New("no answer")
	}
	if m := messages[0]; m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4 {
		if code := int32(binary.NativeEndian.Uint32(m.Data)); code != 0 {
			return fmt.Errorf("the kernel refuses: %w", syscall.Errno(-code))
		}
	}
	return nil
}
