"""The command `kgen`: recipes and what they leave behind, from the shell."""
