#!/bin/sh
# Says what of each team's networks and SealedSecrets is in none of its files any more:
# what Flux would remove if `prune` of the Kustomizations `networks` were true. Fails
# unless there is nothing. docs/upgrading.md says when to run it.
set -eu
now=$(date +%s)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
left=0
for team in $(kubectl get namespaces -l bitcoin-operator.github.io/tenant=true -o 'jsonpath={.items[*].metadata.name}'); do
  # The namespace of a team that is no longer in Git stays; nothing of it is applied.
  [ -n "$(kubectl get kustomization networks -n "$team" --ignore-not-found -o name)" ] || continue
  # By what its repository holds now, without what is left out of it.
  for object in gitrepository/networks kustomization/networks; do
    kubectl annotate "$object" -n "$team" --overwrite reconcile.fluxcd.io/requestedAt="$now" >/dev/null
    kubectl wait "$object" -n "$team" --timeout=5m --for=jsonpath='{.status.lastHandledReconcileAt}'="$now" >/dev/null || {
      echo "$team: $object was not looked at: is it suspended?"
      left=1
      continue 2
    }
  done
  ready=$(kubectl get kustomization networks -n "$team" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].reason}')
  case $ready in
  ReconciliationSucceeded | HealthCheckFailed) ;; # applied, whatever became of it
  *)
    echo "$team: not applied ($ready): kubectl describe kustomization networks -n $team"
    left=1
    ;;
  esac
  kubectl get bitcoinnetworks,sealedsecrets -n "$team" -l kustomize.toolkit.fluxcd.io/name=networks \
    -o 'jsonpath={range .items[*]}{.kind}/{.metadata.name}{"\n"}{end}' | sort >"$work/applied"
  kubectl get kustomization networks -n "$team" -o 'jsonpath={range .status.inventory.entries[*]}{.id}{"\n"}{end}' |
    sed 's|^[^_]*_\([^_]*\)_[^_]*_\(.*\)$|\2/\1|' | sort >"$work/files"
  for object in $(comm -23 "$work/applied" "$work/files"); do
    echo "$team: $object is in none of its files, and would go"
    left=1
  done
done
exit $left
