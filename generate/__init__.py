"""Files of this project that are made from what upstream projects publish: a developer's tool."""
