"""The access list: reading it from approved requests, changing it by hand, seeing who may come in."""
