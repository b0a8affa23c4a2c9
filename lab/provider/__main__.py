"""Run the plugin: print the port of the provider service and serve until Pulumi ends it."""

import asyncio
import sys

from lab.provider.service import serve

# Pulumi passes its own flags first and the address of its engine last.
asyncio.run(serve(engine=sys.argv[-1]))
