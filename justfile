# What the scripts do, by shorter names: https://just.systems. Nothing here needs it.

# the main job: a fresh server in a virtual machine becomes a host
demo:
    sh tests/demo.sh

# all tests
test *options:
    sh tests/test.sh {{options}}

# every published figure beside its peers, or some: just bench peers curve
bench *parts:
    sh tests/bench.sh {{parts}}
