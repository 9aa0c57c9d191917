# start.sh STEP: one step of an action, by the Python that BOOTSTRAP names: the input `python`, which
# is also in CKPT_ACTION_PYTHON, or else what actions/setup-python has installed.
if ! "$BOOTSTRAP" -I -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
  if [ -n "$CKPT_ACTION_PYTHON" ]; then
    echo "::error title=ckpt-action::input \`python\`: there is no Python 3.10 or newer of that name on this runner. Give a command or an absolute path."
  else
    echo "::error title=ckpt-action::The Python of actions/setup-python does not start here, or is older than 3.10. Ask for one from 3.10 to 3.13, or name an interpreter of your own by the input \`python\`."
  fi
  exit 4
fi
exec "$BOOTSTRAP" -m ckpt_action.action "$1"
