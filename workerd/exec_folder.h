/*
 * Folders of programs, scratch/<job>/<task>-<token>.d: whatever a program put
 * into its own, nothing outside of it is touched.
 */

#ifndef REEL_WORKERD_EXEC_FOLDER_H
#define REEL_WORKERD_EXEC_FOLDER_H

/*
 * Removes those of job's folder, an absolute path: of one task, by whatever
 * token, or of all (task NULL).  What cannot be removed stays.
 */
void reel_exec_folders_del(const char *job, const char *task);

#endif
