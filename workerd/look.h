/* workerd -i FILE: what inspect finds in a film, without store and Redis */

#ifndef REEL_WORKERD_LOOK_H
#define REEL_WORKERD_LOOK_H

/* prints inspect.json on stdout, or the error on stderr; 0 or 1 */
int reel_look(const char *file);

#endif
