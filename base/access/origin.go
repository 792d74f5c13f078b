package access

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Peer is where a request comes from.
type Peer struct {
	// Address is that of the sender, as far as trusted proxies tell.
	Address netip.Addr
	// Loopback says that the request was made on this machine: the connection, the name it asks for, and no header that says
	// that a proxy passed it on.
	Loopback bool
	// Secure says that the sender's connection is encrypted.
	Secure bool
	// Agent is what the sender calls itself, cut.
	Agent string
}

// WithPeer returns a context that says where the request comes from.
func WithPeer(ctx context.Context, p Peer) context.Context {
	return context.WithValue(ctx, peerKey{}, p)
}

// PeerOf returns where the request comes from; the zero Peer, which is trusted with nothing, when nobody said.
func PeerOf(ctx context.Context) Peer {
	p, _ := ctx.Value(peerKey{}).(Peer)
	return p
}

// Origins says which hosts this server answers for and which proxies it believes. Make it with NewOrigins.
type Origins struct {
	hosts   []string
	proxies []netip.Prefix
	// literal says that any IP address may be asked for, because the server listens on more than the loopback.
	literal bool
}

// NewOrigins returns the Origins of a server that listens at listen, is reached from outside as external ("" = it is not),
// answers for the names in hosts too, and is behind the proxies in trusted, addresses or networks.
func NewOrigins(listen, external string, hosts, trusted []string) (*Origins, error) {
	o := &Origins{literal: !IsLoopback(listen)}
	for _, host := range hosts {
		name := strings.ToLower(strings.TrimSuffix(host, "."))
		if name == "" || strings.ContainsAny(name, "/:@*? ") {
			return nil, fmt.Errorf("hosts: %q is no host name: write it without scheme, port and path, for instance fairlead.example.org", cut(host))
		}
		o.hosts = append(o.hosts, name)
	}
	if external != "" {
		u, err := url.Parse(external)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return nil, fmt.Errorf("external_url: %q cannot be used: write scheme and host, for instance https://fairlead.example.org", cut(external))
		}
		o.hosts = append(o.hosts, strings.ToLower(u.Hostname()))
	}
	for _, text := range trusted {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, addressErr := netip.ParseAddr(text)
			if addressErr != nil {
				return nil, fmt.Errorf("trusted_proxies: %q is no address: write one such as 10.0.0.5 or a network such as 10.0.0.0/24", cut(text))
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		o.proxies = append(o.proxies, network.Masked())
	}
	return o, nil
}

// IsLoopback reports whether only this machine can reach a listening address.
func IsLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return err == nil && loopbackName(host)
}

func loopbackName(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// hostOf returns the host that a request asks for, without port.
func hostOf(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// Serves reports whether the host that a request asks for is this server: another one means that a foreign name was made to
// point here (DNS rebinding).
func (o *Origins) Serves(r *http.Request) bool {
	host := hostOf(r)
	if loopbackName(host) || slices.Contains(o.hosts, host) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return o.literal && err == nil
}

// forwarding are the headers that say that a proxy has passed a request on.
var forwarding = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via"}

// Peer returns where a request comes from.
func (o *Origins) Peer(r *http.Request) Peer {
	p := Peer{Secure: r.TLS != nil, Agent: cut(r.UserAgent())}
	text, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		text = r.RemoteAddr
	}
	p.Address, _ = netip.ParseAddr(text) // an invalid address is no loopback
	p.Address = p.Address.Unmap().WithZone("")
	forwarded := slices.ContainsFunc(forwarding, func(name string) bool { return len(r.Header.Values(name)) > 0 })
	p.Loopback = p.Address.IsLoopback() && !forwarded && loopbackName(hostOf(r))
	if !forwarded || !o.trusted(p.Address) {
		return p
	}
	p.Secure = p.Secure || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	// Each proxy adds whom it heard: from the right, the first that is no proxy of ours is the sender. What stands left of it
	// is only claimed.
	list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, entry := range slices.Backward(list) {
		address, err := netip.ParseAddr(strings.TrimSpace(entry))
		if err != nil {
			break
		}
		p.Address = address.Unmap().WithZone("")
		if !o.trusted(p.Address) {
			break
		}
	}
	return p
}

func (o *Origins) trusted(address netip.Addr) bool {
	return slices.ContainsFunc(o.proxies, func(network netip.Prefix) bool { return network.Contains(address) })
}
