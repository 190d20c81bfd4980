#!/bin/bash
# install.sh FOLDER: puts the Autobahn testsuite, which needs Python 2.7, into one private folder.
#
# Package registries only: the interpreter comes from an older release of the distribution's own
# archive, the rest through pip. Changes nothing outside the folder and needs no root, except that
# a machine whose package lists were never fetched has them fetched.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dest=${1:?usage: install.sh FOLDER}
mkdir -p "$dest"; dest=$(cd "$dest" && pwd)
[ -e "$dest/complete" ] && exit 0

# 1. The distribution's archive, as this machine's apt already knows it.
archive() {
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
    awk '($1 == "Debian" || $1 == "Ubuntu") && $2 !~ /security/ { print $1, $2; exit }'
}
found=$(archive)
if [ -z "$found" ]; then
  [ "$(id -u)" = 0 ] || { echo "no package lists yet; fetch them: sudo apt-get update" >&2; exit 1; }
  apt-get -q update
  found=$(archive)
fi
read -r origin uri <<< "$found"
uri=${AUTOBAHN_APT_URI:-$uri}
common="python2.7 python2.7-minimal libpython2.7-minimal libpython2.7-stdlib libpython2.7-dev"
case $origin in
  Debian) suite=bullseye comps=main keyring=/usr/share/keyrings/debian-archive-keyring.gpg
          pkgs="$common libssl1.1 libffi7" ;;
  Ubuntu) suite=jammy comps="main universe" keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
          pkgs="$common libssl3 libffi8" ;;
  *) echo "neither a Debian nor an Ubuntu archive found" >&2; exit 1 ;;
esac
suite=${AUTOBAHN_APT_SUITE:-$suite}

# 2. Its Python 2.7 packages, unpacked, not installed.
apt=$dest/apt
mkdir -p "$apt/none" "$apt/lists/partial" "$apt/archives/partial" "$dest/debs" "$dest/system"
: > "$apt/status"
echo "deb [signed-by=$keyring] $uri $suite $comps" > "$apt/sources.list"
opts=(-q -o "Dir::Etc::SourceList=$apt/sources.list" -o "Dir::Etc::SourceParts=$apt/none"
      -o "Dir::Etc::PreferencesParts=$apt/none" -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt"
      -o "Dir::State::Status=$apt/status" -o Acquire::Languages=none -o APT::Sandbox::User=)
apt-get "${opts[@]}" update
(cd "$dest/debs" && apt-get "${opts[@]}" download $pkgs)
for deb in "$dest"/debs/*.deb; do dpkg-deb -x "$deb" "$dest/system"; done

# 3. A launcher that finds the interpreter's libraries and packages.
libs=$(dirname "$(find "$dest/system/usr/lib" -name 'libffi.so.*' | head -1)")
cat > "$dest/python2.7" <<EOF
#!/bin/sh
LD_LIBRARY_PATH=$libs PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE= exec $dest/system/usr/bin/python2.7 "\$@"
EOF
chmod +x "$dest/python2.7"
site=$("$dest/python2.7" -c 'import ssl, zlib, ctypes, site; print(site.getsitepackages()[0])')
case $site in "$dest"/*) ;; *) echo "site folder $site is outside $dest" >&2; exit 1 ;; esac

# 4. pip (its last release for 2.7) and the suite.
python3 -m pip download -q --no-deps -d "$dest/boot" pip==20.3.4
python3 -m zipfile -e "$dest"/boot/pip-20.3.4-*.whl "$dest/pip"
pip2() {
  PYTHONPATH="$dest/pip" C_INCLUDE_PATH="$dest/system/usr/include/python2.7:$dest/system/usr/include" \
  "$dest/python2.7" -m pip -q --no-python-version-warning install --upgrade --target "$site" "$@"
}
pip2 setuptools==44.1.1 wheel==0.37.1 incremental==16.10.1
pip2 -r "$here/requirements.txt"
cat > "$dest/wstest" <<EOF
#!/bin/sh
exec $dest/python2.7 -m autobahntestsuite.wstest "\$@"
EOF
chmod +x "$dest/wstest"
"$dest/wstest" --autobahnversion
touch "$dest/complete"
