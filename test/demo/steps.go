package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A demo is what its steps share and find out for each other.
type demo struct {
	cluster  *fleet.Cluster
	progress *progress

	fleet    *fleet.Fleet
	teams    []*fleet.Team
	commits  map[string]string // by repository, what its branch main is at
	networks []fleet.Network
}

// fluxSystem is the namespace of Flux and of what it applies first.
const fluxSystem = "flux-system"

// clone clones the repositories, making those that are not there.
func (d *demo) clone(ctx context.Context) error {
	return d.run(ctx, stage{"clone the repositories of the fleet and the teams", brief, fluxSystem, func(ctx context.Context) (_ string, err error) {
		if d.fleet, err = d.cluster.Fleet(ctx); err != nil {
			return "", err
		}
		for _, name := range []string{"team-a", "team-b"} {
			team, err := d.cluster.Team(ctx, name)
			if err != nil {
				return "", err
			}
			d.teams = append(d.teams, team)
		}
		return "", nil
	}})
}

// push pushes a repository, and tells where its branch main then is.
func (d *demo) push(ctx context.Context, repository *fleet.Repository, message string) (detail string, err error) {
	commit, err := repository.Push(ctx, message)
	if err != nil {
		return "", err
	}
	d.commits[repository.Name] = commit
	return "at " + commit[:8], nil
}

// pushFleet does the platform team's part, and waits until the platform stands.
func (d *demo) pushFleet(ctx context.Context) error {
	push := stage{"push gitops/ and tenants/ of the working tree", brief, fluxSystem, func(ctx context.Context) (string, error) {
		if err := d.fleet.Update(ctx); err != nil {
			return "", err
		}
		return d.push(ctx, d.fleet.Repository, "Take over the working tree")
	}}
	bootstrap := stage{"tell Flux of that repository", brief, fluxSystem, func(ctx context.Context) (string, error) {
		return "", d.fleet.Bootstrap(ctx)
	}}
	if err := d.run(ctx, push, bootstrap); err != nil {
		return err
	}
	for _, name := range []string{fluxSystem, "sealed-secrets", "crds", "policies", "flux-tenants", "tenants", "operators"} {
		delivery := d.fleet.Delivery(name, d.commits[d.fleet.Name])
		if err := d.run(ctx, d.until(delivery.Done, fluxSystem, "Flux applies %s", name)); err != nil {
			return err
		}
	}
	return d.run(ctx, stage{"let operators run the image that was built last", brief, fluxSystem, func(ctx context.Context) (string, error) {
		renewed, err := d.cluster.RenewOperators(ctx)
		if renewed == 0 {
			return "", err
		}
		return fmt.Sprintf("%d restarted", renewed), err
	}})
}

// pushTeams does the teams' part, and waits until each has what it asked for.
func (d *demo) pushTeams(ctx context.Context) error {
	var sealer *fleet.Sealer
	fetch := func(ctx context.Context) (done bool, _ string, err error) {
		sealer, err = d.cluster.Sealer(ctx)
		return err == nil, "", err
	}
	if err := d.run(ctx, d.until(fetch, "sealing", "get the certificate that is published for sealing")); err != nil {
		return err
	}
	for _, team := range d.teams {
		err := d.run(ctx, stage{team.Name + ": seal credentials, push them with its networks", brief, team.Name, func(ctx context.Context) (string, error) {
			return d.pushTeam(ctx, team, sealer)
		}})
		if err != nil {
			return err
		}
	}
	for _, team := range d.teams {
		if err := d.watchTeam(ctx, team); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) pushTeam(ctx context.Context, team *fleet.Team, sealer *fleet.Sealer) (detail string, err error) {
	if err := team.Seed(); err != nil {
		return "", err
	}
	fresh, err := team.EnsureCredentials(ctx, sealer)
	if err != nil {
		return "", err
	}
	at, err := d.push(ctx, team.Repository, "Add the team's networks and their credentials")
	if !fresh {
		at += ", with the credentials that it had"
	}
	return at, err
}

func (d *demo) watchTeam(ctx context.Context, team *fleet.Team) error {
	name, delivery := team.Name, team.Delivery(d.commits[team.Name])
	err := d.run(ctx,
		d.until(fleet.All(delivery.Begun, d.cluster.Says(team.Secret(), "Synced")), name, "%s: its Secret is unsealed", name),
		d.until(d.cluster.Says(team.Operator(), "Available"), name, "%s: its operator runs", name),
		d.until(fleet.All(d.cluster.NetworksReady(name), delivery.Begun), name, "%s: its networks are Ready", name),
		d.until(fleet.All(d.cluster.NetworksReady(name), delivery.Done), name, "%s: Flux finds all of it healthy", name))
	if err != nil {
		return err
	}
	networks, err := d.cluster.Networks(ctx, name)
	d.networks = append(d.networks, networks...)
	return err
}

// checkConnections asks the nodes whether they are connected as they should be.
func (d *demo) checkConnections(ctx context.Context) error {
	for _, network := range d.networks {
		planned := len(fleet.Plan(len(network.Nodes)))
		if err := d.run(ctx, d.until(network.Connected, network.Namespace,
			"%s: its nodes report the %d planned links, and no others", network, planned)); err != nil {
			return err
		}
	}
	return nil
}

// mineBlocks mines a block in each network, and sees who has it.
func (d *demo) mineBlocks(ctx context.Context) error {
	for _, network := range d.networks {
		if len(network.Nodes) == 0 {
			continue
		}
		what := fmt.Sprintf("%s: a block that %s mines is on all its nodes, and nowhere else", network, network.Nodes[0].Pod())
		err := d.run(ctx, stage{what, brief, network.Namespace, func(ctx context.Context) (string, error) {
			return d.mineBlock(ctx, network)
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) mineBlock(ctx context.Context, network fleet.Network) (detail string, err error) {
	block, err := network.Nodes[0].Mine(ctx)
	if err != nil {
		return "", err
	}
	everywhere := func(ctx context.Context) (bool, string, error) {
		having, err := network.Having(ctx, block)
		return len(having) == len(network.Nodes), fmt.Sprintf("block %s is on %v", block, having), err
	}
	if err := fleet.Until(ctx, everywhere, d.progress.waiting); err != nil {
		return "", err
	}
	for _, other := range d.networks {
		if other.Object() == network.Object() {
			continue
		}
		strangers, err := other.Having(ctx, block)
		if err != nil {
			return "", err
		}
		if len(strangers) > 0 {
			return "", fmt.Errorf("block %s is also on %v", block, strangers)
		}
	}
	return "…" + strings.TrimLeft(block, "0")[:8], nil
}
