#!/usr/bin/env bash
# Prints the ID token of this GitHub job for an audience, in the form of a kubeconfig's exec plugin.
#
#     scripts/id-token.sh AUDIENCE
set -euo pipefail

token=$(curl --fail --silent --show-error --get --data-urlencode "audience=$1" \
  --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL" |
  sed -E 's/.*"value" *: *"([^"]+)".*/\1/')
cat <<END
{
  "apiVersion": "client.authentication.k8s.io/v1beta1",
  "kind": "ExecCredential",
  "status": {"token": "$token"}
}
END
