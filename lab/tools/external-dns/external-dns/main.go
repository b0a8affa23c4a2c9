// Command external-dns makes records as external-dns does with its flag `--once`, by the same flags
// and packages. It has only the provider for CoreDNS: external-dns itself links the SDKs of all
// clouds, which take long to build.
package main

import (
	"context"
	"log"
	"os"

	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns/validation"
	"sigs.k8s.io/external-dns/plan"
	"sigs.k8s.io/external-dns/provider/coredns"
	"sigs.k8s.io/external-dns/registry/noop"
	"sigs.k8s.io/external-dns/source"
	"sigs.k8s.io/external-dns/source/wrappers"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	config := externaldns.NewConfig()
	if err := config.ParseFlags(os.Args[1:]); err != nil {
		return err
	}
	if err := validation.ValidateConfig(config); err != nil {
		return err
	}
	sources, err := source.NewSourceConfig(config)
	if err != nil {
		return err
	}
	wanted, err := wrappers.Build(ctx, sources)
	if err != nil {
		return err
	}
	filter := endpoint.NewDomainFilter(config.DomainFilter)
	provider, err := coredns.New(ctx, config, filter)
	if err != nil {
		return err
	}
	registry, err := noop.New(config, provider)
	if err != nil {
		return err
	}
	current, err := registry.Records(ctx)
	if err != nil {
		return err
	}
	found, err := wanted.Endpoints(ctx)
	if err != nil {
		return err
	}
	desired, err := registry.AdjustEndpoints(found)
	if err != nil {
		return err
	}
	changes := (&plan.Plan{
		Policies:       []plan.Policy{plan.Policies[config.Policy]},
		Current:        current,
		Desired:        desired,
		DomainFilter:   endpoint.MatchAllDomainFilters{filter, registry.GetDomainFilter()},
		ManagedRecords: config.ManagedDNSRecordTypes,
		OwnerID:        registry.OwnerID(),
	}).Calculate().Changes
	if !changes.HasChanges() {
		return nil
	}
	return registry.ApplyChanges(ctx, changes)
}
