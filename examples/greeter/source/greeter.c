/* Greets: once on standard output, or as a service whoever connects to a port of this host. */
#include "greeter.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The name in the configuration, as in `name = world`. */
static void configured(char *name, int size) {
  char line[256];
  FILE *file = fopen("/etc/greeter.conf", "r");
  snprintf(name, size, "world");
  if (file == NULL) return;
  while (fgets(line, sizeof line, file) != NULL) {
    char found[200];
    if (sscanf(line, " name = %199s", found) == 1) snprintf(name, size, "%s", found);
  }
  fclose(file);
}

static int serve(int port) {
  int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 8) != 0) {
    perror("greeter: cannot listen");
    return 1;
  }
  for (;;) {
    char name[200], text[256];
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    configured(name, sizeof name);
    greeting(text, sizeof text, name);
    dprintf(client, "%s\n", text);
    close(client);
  }
}

int main(int count, char **words) {
  char name[200], text[256];
  if (count > 1 && strcmp(words[1], "--version") == 0) {
    puts("greeter " VERSION);
    return 0;
  }
  if (count > 1 && strcmp(words[1], "--serve") == 0) return serve(count > 2 ? atoi(words[2]) : 7007);
  configured(name, sizeof name);
  puts(greeting(text, sizeof text, count > 1 ? words[1] : name));
  return 0;
}
