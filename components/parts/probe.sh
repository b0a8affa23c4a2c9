# Sends the requests of $CHECKS until each is answered as expected in five rounds, one after the
# other: a single round can be luck while proxies receive their configuration, or of one that has
# it already. Fails when $LIMIT seconds have passed. A certificate in $CERTIFICATE is the only one that is trusted.
#
# A line of $CHECKS is a word and what it is for:
#   request  what to call the request that the next lines are of
#   curl     a line of its curl configuration; curl writes the status and what went wrong, then
#            headers, a line each
#   expect   what of that is expected, a line each
#   body     a text that the answer has to contain
#   grpc     nothing: the status is that of gRPC
#   tcp      nothing: it is a connection, of which only the text counts
#   send     a line that is sent over the connection
end=$(($(date +%s) + LIMIT))
cd "$(mktemp -d)" || exit

if [ -n "${CERTIFICATE:-}" ]; then
  printf '%s' "$CERTIFICATE" >certificate
  export CURL_CA_BUNDLE="$PWD/certificate"
fi
printf '\0\0\0\0\0' >empty-message

number=0
while IFS= read -r line; do
  [ "${line%% *}" != request ] || number=$((number + 1))
  printf '%s\n' "${line#* }" >>"$number.${line%% *}"
done <<END
$CHECKS
END

# Prints the answer to a request, in the form of what is expected.
answer() {
  : >headers
  : >content
  if [ -e "$1.tcp" ]; then
    : >>"$1.send"
    # Some versions of curl look for an answer only while there may be more to send.
    { cat "$1.send" && sleep 1; } | curl -sg -m 5 -o content -K "$1.curl" >answer
  else
    curl -sg -m 5 -D headers -o content -K "$1.curl" >answer
  fi
  if [ -e "$1.grpc" ]; then
    # Its status comes in a header or after the body, in a trailer.
    status=$(sed -n 's/^grpc-status: *\([0-9]*\).*/\1/p' headers | head -n 1)
    printf '%s\n' "${status:-HTTP $(cat answer)}"
  else
    cat answer
  fi
}

# Prints what of the answer to a request is not as expected.
differences() {
  read -r name <"$1.request"
  answer "$1" >found
  {
    read -r expected
    read -r status error <&3
    if [ "$status" != "$expected" ]; then
      printf '%s\n' "$name: expected $expected, got $status $error"
      return
    fi
    while IFS= read -r expected; do
      IFS= read -r header <&3
      [ "$header" = "$expected" ] || printf '%s\n' "$name: expected $expected, got $header"
    done
  } <"$1.expect" 3<found
  # What was found may be a secret: services that echo requests do so with their tokens.
  [ ! -e "$1.body" ] || grep -qF -f "$1.body" content ||
    printf '%s\n' "$name: expected $(cat "$1.body") in the body, got another one${error:+: $error}"
}

# Prints what is not answered as expected; stops early when it is too late to matter.
wrong_answers() {
  for request in $(seq "$number"); do
    wrong=$(differences "$request")
    [ -n "$wrong" ] || continue
    printf '%s\n' "$wrong"
    [ "$(date +%s)" -lt "$end" ] || break
  done
}

passed=0
while [ "$passed" -lt 5 ]; do
  [ "$passed" = 0 ] || sleep 0.1
  wrong=$(wrong_answers)
  if [ -z "$wrong" ]; then
    passed=$((passed + 1))
  elif [ "$(date +%s)" -lt "$end" ]; then
    passed=0
    sleep 0.2
  else
    printf '%s\n' "after $LIMIT s: $wrong" >&2
    exit 1
  fi
done
