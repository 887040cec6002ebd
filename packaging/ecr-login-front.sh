#!/bin/sh
# Answers `docker-credential-ecr-login get` for a warm token without starting Python, in a third of the time.
#
# It may say only what Python would say. So whatever it does not know for certain it hands over: other verbs, a
# server that is no plain host name, other settings, an identity or a configuration file that has changed, a token
# that is late, a clock that was set. What it reads was left for it by credhelpers/stores/ecr/front.py, in the
# private directory of the tokens, and counts only while the token's own file has not been touched since. Owners
# and links are checked each time; permissions are not to be seen from here, and Python checks them when it renews.
# shellcheck disable=SC3013,SC3045,SC2015 # dash, busybox and bash have -nt, -ot and ulimit; hand_over never returns

helper='@HELPER@'
server=''

# Let Python answer, with what has been read of its standard input.
hand_over() {
    no_limit
    exec "$helper" get <<END
$server
END
}

# Take back the limit that is set below; where the hard one is lower than none, asking for it costs a process.
no_limit() { ulimit -S -t unlimited 2>/dev/null || ulimit -S -t "$(ulimit -H -t)"; }

# The same file time, to the nanosecond where the file system has it; or both files missing.
same() {
    if [ -e "$1" ]; then [ -e "$2" ] && ! [ "$1" -nt "$2" ] && ! [ "$1" -ot "$2" ]; else ! [ -e "$2" ]; fi
}

export CREDHELPERS_FRONT=1
if [ "$*" != get ] || ! [ -p /dev/stdin ]; then exec "$helper" "$@"; fi
# Docker and all other clients send the host without a newline. Whoever sends one may send more.
# What never ends is no host either: it may take a second of work, and then the kernel ends this process.
ulimit -S -t 1
if IFS= read -r server; then
    no_limit
    { printf '%s\n' "$server"; cat; } | "$helper" get
    exit $?
fi
case $server in '' | *[!a-z0-9.-]*) hand_over ;; esac
case ${HOME-}:${AWS_ECR_CACHE_DIR:-/}:${XDG_CONFIG_HOME:-/}:${AWS_CONFIG_FILE:-/}:${AWS_SHARED_CREDENTIALS_FILE:-/} in
    /*:/*:/*:/*:/*) ;;
    *) hand_over ;;
esac
[ -z "${AWS_ECR_DISABLE_CACHE-}${CREDHELPERS_CONFIG-}" ] && [ -O "$HOME" ] || hand_over

tokens=${AWS_ECR_CACHE_DIR:-$HOME/.ecr}/tokens
front=$tokens/front-$server
[ -O "$tokens" ] && ! [ -L "$tokens" ] && [ -f "$front" ] && [ -O "$front" ] && ! [ -L "$front" ] || hand_over
[ -e "$tokens/stored-$server" ] && hand_over

key='' front_key='' front_token='' front_stamp='' front_password=''
# shellcheck source=/dev/null
. "$front"

# The file's time is the time to renew the token. What Linux shows of a process that has just begun has the time
# of now.
now=/proc/$$/stat
[ -e "$now" ] && [ "$front" -nt "$now" ] && [ "$now" -nt "$front.since" ] || hand_over
token=$tokens/$front_token
[ -O "$token" ] && ! [ -L "$token" ] && same "$front" "$token" || hand_over

for name in AWS_PROFILE AWS_DEFAULT_PROFILE AWS_ACCESS_KEY_ID AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE \
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI \
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_EC2_METADATA_DISABLED AWS_EC2_METADATA_SERVICE_ENDPOINT \
    AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE AWS_ENDPOINT_URL AWS_ENDPOINT_URL_ECR AWS_ENDPOINT_URL_ECR_PUBLIC \
    AWS_ENDPOINT_URL_STS AWS_IGNORE_CONFIGURED_ENDPOINT_URLS; do
    value='' # for shellcheck, which does not look into eval
    eval "value=\${$name-}"
    case $value in
        '') ;;
        *[!A-Za-z0-9_./:@%+=,-]*) hand_over ;;
        *) key="$key $name=$value" ;;
    esac
done
[ "$key" = "$front_key" ] || hand_over

stamp=$tokens/front-$front_stamp
same "${AWS_CONFIG_FILE:-$HOME/.aws/config}" "$stamp.0" || hand_over
same "${AWS_SHARED_CREDENTIALS_FILE:-$HOME/.aws/credentials}" "$stamp.1" || hand_over
same "${XDG_CONFIG_HOME:-$HOME/.config}/credhelpers/config.toml" "$stamp.2" || hand_over
same /etc/credhelpers/config.toml "$stamp.3" || hand_over

printf '{"ServerURL":"%s","Username":"AWS","Secret":"%s"}\n' "$server" "$front_password"
