/*
 * Puts events into the store's hooks/, from where workerd sends them.  All of
 * it may run twice: an event has one name.  Where no webhooks are set up
 * (REEL_KEY_HOOKS_ON does not stand) nothing is written.
 */

#ifndef REEL_HOOK_NOTE_H
#define REEL_HOOK_NOTE_H

#include "lib/hook/event.h"
#include "lib/store/layout.h"
#include "lib/store/store.h"

/* does this store note ends?  only where workerd has had webhooks set up */
reel_err_t reel_hook_on(reel_store_t *s, bool *on) REEL_WARN_UNUSED;

/*
 * The end of a publication, as its result.json says.  Nothing when another
 * result stands, or none, or a tombstone: then the end is another's to tell.
 */
reel_err_t reel_hook_note_result(reel_store_t *s, const char *asset,
    uint32_t publication) REEL_WARN_UNUSED;

/* what the asset's tombstone says; nothing when there is none */
reel_err_t reel_hook_note_deleted(reel_store_t *s, const char *asset)
    REEL_WARN_UNUSED;

/*
 * The last event of an asset once more, with its id; in place of what was
 * asked for of it before and is not told to all, so that entries do not pile
 * up.  REEL_NOTFOUND: it has none, or no webhooks are set up.  name: of the
 * entry.
 */
reel_err_t reel_hook_note_again(reel_store_t *s, const char *asset,
    int64_t now_ms, char name[REEL_HOOK_NAME_MAX]) REEL_WARN_UNUSED;

#endif
