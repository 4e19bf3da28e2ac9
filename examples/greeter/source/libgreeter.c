#include "greeter.h"

#include <stdio.h>

char *greeting(char *text, unsigned long size, const char *name) {
  snprintf(text, size, "Hello, %s!", name);
  return text;
}
