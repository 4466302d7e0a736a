"""The commands, by what they are about: their words and options. Each is a thin line to the module of hub/cli that does
it, loaded when it is called: `vigie read` need not wait for what only `vigie run` needs."""
