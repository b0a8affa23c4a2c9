# Sends the requests of $CHECKS, a line "STATUS HOST URL" each, until each is answered with its
# status in three rounds, half a second apart: a single round can be luck while proxies receive
# their configuration. Fails when $LIMIT seconds have passed. $METHOD is GET or gRPC; a
# certificate in $CERTIFICATE is the only one that is trusted, without one any is.
end=$(($(date +%s) + LIMIT))

if [ -n "${CERTIFICATE:-}" ]; then
  export CURL_CA_BUNDLE=/tmp/certificate.pem
  printf '%s' "$CERTIFICATE" >"$CURL_CA_BUNDLE"
fi

# Prints the status that HOST and URL are answered with, EXPECTED or not, and what went wrong.
answer() {
  expected=$1
  host=$2
  url=$3
  set -- curl -sg -m 5 -o /dev/null
  case $url in
    https:*)
      # The gateway chooses listener and certificate by the name in the handshake.
      address=${url#https://}
      url=https://$host/${address#*/}
      set -- "$@" --connect-to "::${address%%/*}"
      [ -n "${CURL_CA_BUNDLE:-}" ] || set -- "$@" --insecure
      ;;
    *) set -- "$@" -H "Host: $host" ;;
  esac
  if [ "$METHOD" = GET ]; then
    "$@" -w '%{http_code} %{errormsg}' "$url"
  else
    # An empty message; its status comes in a header or after the body, in a trailer. A proxy that
    # refuses the method does not wait for the message, which some versions of curl do not bear.
    [ "$expected" = 12 ] || set -- "$@" --data-binary @-
    printf '\0\0\0\0\0' |
      "$@" -X POST --http2-prior-knowledge -H 'content-type: application/grpc' -H 'te: trailers' \
        -D - -w '\n%{http_code} %{errormsg}' "$url" |
      sed -n -e 's/^grpc-status: *\([0-9]*\).*/\1/p' -e '$s/^/HTTP /p' | head -n 1
  fi
}

# Prints what is not answered as expected; stops early when it is too late to matter.
wrong_answers() {
  printf '%s\n' "$CHECKS" | while read -r expected host url; do
    answer=$(answer "$expected" "$host" "$url")
    [ "${answer%% *}" = "$expected" ] && continue
    printf '%s\n' "$METHOD $url (Host: $host): expected $expected, got $answer"
    [ "$(date +%s)" -lt "$end" ] || break
  done
}

passed=0
while [ "$passed" -lt 3 ]; do
  [ "$passed" = 0 ] || sleep 0.5
  wrong=$(wrong_answers)
  if [ -z "$wrong" ]; then
    passed=$((passed + 1))
  elif [ "$(date +%s)" -lt "$end" ]; then
    passed=0
    sleep 0.5
  else
    printf '%s\n' "after $LIMIT s: $wrong" >&2
    exit 1
  fi
done
