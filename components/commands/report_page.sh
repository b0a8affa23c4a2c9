# shellcheck disable=SC2154,SC2329  # the script behind it has the number, and asks by curl
# Put before the script of a proof. After its verdict each request is sent once more, within half a minute,
# and a line printed of it, with tabs between: `answered`, its number, status, seconds, and of the answer's
# headers server and x-envoy-upstream-service-time.
report() {
  verdict=$?
  last=$(($(date +%s) + 30))
  curl() { command curl "$@" -w '%{http_code} %{errormsg}\n%{stderr}%{time_total}\n' 2>seconds; }
  header() { sed -n "s/^$1: *//Ip" headers | tr -d '\r' | tail -n 1; }
  for request in $(seq "$number"); do
    [ "$(date +%s)" -lt "$last" ] || break
    status=$(answer "$request" | head -n 1)
    printf 'answered\t%s\t%s\t%s\t%s\t%s\n' "$request" "$status" "$(cat seconds)" \
      "$(header server)" "$(header x-envoy-upstream-service-time)"
  done
  exit "$verdict"
}
trap report EXIT

