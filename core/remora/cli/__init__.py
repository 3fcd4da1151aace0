"""The commands of `remora`: one file or folder for each, loaded only when that command is called."""
