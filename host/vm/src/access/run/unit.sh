# The unit that runs it: whoever began it has written which.
unit=stead-run-@RUN@
[ ! -e unit ] || read -r unit < unit || :
