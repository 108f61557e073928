/* workerd -i FILE: what inspect, or complexity, finds in a film, without store
   and Redis */

#ifndef REEL_WORKERD_LOOK_H
#define REEL_WORKERD_LOOK_H

/*
 * Prints inspect.json, or what complexity finds by that payload, on stdout, or
 * the error on stderr; 0 or 1.  payload: NULL = inspect
 */
int reel_look(const char *file, const char *payload);

#endif
