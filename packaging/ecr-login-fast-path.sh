#!/bin/sh
# The fast path of `docker-credential-ecr-login get`: a warm token without starting Python.
#
# It answers only what Python would answer, and hands over all that it does not know for certain: other verbs, a
# server that is not a plain host name, an environment or a file that is not as it was, a late token, a clock that
# was set. credhelpers/stores/tokens/fast_path.py has left what it needs in the private directory of the tokens:
# `fast-HOST` says for which identity, until when, and how each file looked that selects an identity;
# `answer-HOST` is the answer. Both are data and never run; this shell never holds the password. It starts one
# process: stat, which sees what a shell cannot (modes, inodes, the time of the last change, the time of day).
# shellcheck disable=SC3045,SC2015 # dash, busybox and bash have ulimit -S; hand_over never returns
set +xv
ulimit -S -c 0 # keys of the environment stand in variables, and cat holds the password: no core file

helper='@HELPER@'
newline='
'

# Let Python answer, with what has been read of standard input.
hand_over() {
    exec "$helper" get <<END
$server
END
}

# Read the server up to a newline, or to the end and fail. A shell drops NUL, which is not in a server's name, so
# Linux's count of the characters read is compared with what has come. bash reads ahead, but can stop at NUL.
read_server() {
    if [ -n "${BASH_VERSION-}" ]; then
        # shellcheck disable=SC3045 # only bash comes here
        if IFS= read -r -d '' server; then refuse_binary; fi
        case $server in *"$newline"*) return 0 ;; *) return 1 ;; esac
    fi
    count_characters && before=$characters && count_characters || exit 3
    [ $((characters - before)) -eq $((${#before} + 8)) ] || exit 3
    before=$((characters + ${#characters} + 8))
    if IFS= read -r server; then return 0; fi
    count_characters
    [ $((characters - before)) -le 16384 ] || exit 4
    [ $((characters - before)) -eq ${#server} ] || refuse_binary
    return 1
}

# Set $characters to the number that this process has read so far: the first line of /proc/self/io.
count_characters() { IFS=' ' read -r label characters </proc/self/io && [ "$label" = rchar: ]; }

refuse_binary() {
    echo "binary $server"
    exit 0
}

# Set $selection to the variables that select an identity and are set; fails where a value is not plain text.
select_variables() {
    selection=''
    for name in HOME XDG_CONFIG_HOME AWS_ECR_CACHE_DIR AWS_ECR_DISABLE_CACHE AWS_ECR_IGNORE_CREDS_STORAGE \
    CREDHELPERS_CONFIG AWS_PROFILE AWS_DEFAULT_PROFILE AWS_ACCESS_KEY_ID AWS_CREDENTIAL_EXPIRATION \
    AWS_ACCOUNT_ID AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_CONTAINER_CREDENTIALS_RELATIVE_URI \
    AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_EC2_METADATA_DISABLED AWS_EC2_METADATA_SERVICE_ENDPOINT \
    AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE AWS_EC2_METADATA_V1_DISABLED AWS_IMDS_USE_IPV6 AWS_ENDPOINT_URL \
    AWS_ENDPOINT_URL_ECR AWS_ENDPOINT_URL_ECR_PUBLIC AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_SSO \
    AWS_ENDPOINT_URL_SSO_OIDC AWS_ENDPOINT_URL_SIGNIN AWS_IGNORE_CONFIGURED_ENDPOINT_URLS \
    AWS_STS_REGIONAL_ENDPOINTS AWS_USE_DUALSTACK_ENDPOINT AWS_USE_FIPS_ENDPOINT AWS_DATA_PATH \
    BOTOCORE_EXPERIMENTAL__PLUGINS HTTP_PROXY http_proxy HTTPS_PROXY https_proxy NO_PROXY no_proxy \
    AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN \
    AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE BOTO_CONFIG AWS_CREDENTIAL_FILE \
    AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_LOGIN_CACHE_DIRECTORY; do
        value='' # for shellcheck, which does not look into eval
        eval "value=\${$name+=\$$name}"
        case $value in
            '') continue ;;
            *[!A-Za-z0-9_./:@%+=,-]*) return 1 ;;
        esac
        if [ "$name" = AWS_SECRET_ACCESS_KEY ]; then fingerprint "${value#=}" || return 1; fi
        selection="$selection $name$value"
    done
}

# Set $value to two numbers that tell one secret from another, as fast_path.py does.
fingerprint() {
    [ ${#1} -le 128 ] || return 1
    rest=$1 first=0 second=0
    alphabet='abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-'
    while [ -n "$rest" ]; do
        tail=${rest#?}
        before=${alphabet%%"${rest%"$tail"}"*}
        first=$(((first * 131 + ${#before} + 1) % 2147483647))
        second=$(((second * 8191 + ${#before} + 1) % 2147483629))
        rest=$tail
    done
    value="=#$first-$second"
}

# Read the request and what was left for its host, and print both with how the files look now. It runs in a process
# of its own, which the kernel ends when the request never ends.
look_up() {
    ulimit -S -t 1
    if read_server; then
        echo "line $server"
        exit
    fi
    [ ${#server} -le 16384 ] || exit 4
    echo "host $server"
    case $server in '' | *[!a-z0-9.-]*) exit ;; esac
    fast=$tokens/fast-$server
    [ -O "$tokens" ] && ! [ -L "$tokens" ] && [ -f "$fast" ] && [ -O "$fast" ] && ! [ -L "$fast" ] || exit 0
    {
        IFS= read -r format
        IFS= read -r expected
        IFS= read -r times
        IFS= read -r paths
        facts=''
        while IFS= read -r line && [ "$line" != end ]; do facts=$facts$line$newline; done
    } <"$fast"
    [ "$format" = 'credhelpers fast path 1' ] && [ "$line" = end ] || exit 0
    select_variables && [ "$selection" = "$expected" ] || exit 0
    echo "$times"
    printf '%s' "$facts"
    echo now
    # The pipe that is stat's standard input was made just now, so its time is the current time.
    # shellcheck disable=SC2086 # one word for each path; none has a space or a star
    PATH=/usr/bin:/bin LC_ALL=C exec stat -L -c '%f %u %h %d:%i %s %.9Y %.9Z %n' \
        - "$tokens" "$fast" $paths <<END

END
}

# Take the first line off $rest and set $line to it.
next_line() {
    line=${rest%%"$newline"*}
    rest=${rest#*"$newline"}
}

export CREDHELPERS_FAST_PATH=1
case ${HOME-}:${AWS_ECR_CACHE_DIR:-/} in /*:/*) ;; *) exec "$helper" "$@" ;; esac
if [ "$*" != get ] || ! [ -p /dev/stdin ] || ! [ -O "$HOME" ]; then exec "$helper" "$@"; fi
tokens=${AWS_ECR_CACHE_DIR:-$HOME/.ecr}/tokens

{ found=$(look_up); } 2>/dev/null
case $? in
    2 | 3) exec "$helper" get ;;                  # nothing has been read
    4 | 1?? | 2??) exec "$helper" get </dev/zero ;; # too long, or ended by the kernel; this never ends either
esac
server=${found#* }
case $found in
    'line '*) # Docker and all other clients send the host without a newline. A client that sends one may send more.
        { printf '%s\n' "$server" && cat; } | "$helper" get
        exit $?
        ;;
    'binary '*)
        { printf '%s\0' "$server" && cat; } | "$helper" get
        exit $?
        ;;
esac
server=${server%%"$newline"*}
case $found in *"$newline"*) rest=${found#*"$newline"}$newline ;; *) hand_over ;; esac
next_line
since=${line% *} until=${line#* }
expected=${rest%%"${newline}now${newline}"*}
rest=${rest#*"${newline}now${newline}"}

next_line # of the pipe
time=${line#* * * * * } time=${time%%.*}
case $line in *' -') ;; *) hand_over ;; esac
case $since$until$time in *[!0-9]*) hand_over ;; esac
[ "$time" -ge "$since" ] && [ "$time" -lt "$until" ] || hand_over
next_line # of the directory: private
case $line in '41c0 '*) ;; *) hand_over ;; esac
next_line # of fast-HOST: private, and without another name
case $line in '8180 '*' 1 '*) ;; *) hand_over ;; esac
[ "$rest" = "$expected$newline" ] && [ -x /bin/cat ] || hand_over

trap '' PIPE # when the client has gone: an error, not a signal
exec /bin/cat "$tokens/answer-$server"
