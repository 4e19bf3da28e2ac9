/* What greeter says. */
#ifndef GREETER_H
#define GREETER_H

/* Writes a greeting for `name` into `text`, of at most `size` bytes with its NUL, and returns `text`. */
char *greeting(char *text, unsigned long size, const char *name);

#endif
