"""Programs that measure the server against what it is built on, as ratios taken in one run; see ``README.md``."""

import os

# With backtraces on, libextism builds one for every question about fuel and each call costs 2.6 times; and the
# user's own compile cache must not decide how long a load takes. Set before anything imports the engine.
os.environ["RUST_LIB_BACKTRACE"] = "0"  # noqa: TID251  # written for the engine, not read as a setting
os.environ["EXTISM_CACHE_CONFIG"] = ""  # noqa: TID251  # as above
