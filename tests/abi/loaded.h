/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a handler from a file as the daemon does, and surrounds it with a fake daemon (fake_daemon.h). */
#ifndef ABI_LOADED_H
#define ABI_LOADED_H

#include "fake_daemon.h"

/*
 * After this call, tcmur_handler_entry() of fake_daemon.h returns the loaded handler. Ends the program if
 * the handler cannot be loaded.
 */
void load_handler(const char *path);

extern struct tcmur_lun *changed_lun; /* The argument of the last tcmur_lun_changed(). */
extern struct tcmur_scsi *scsi_done;  /* The argument of the last tcmur_scsi_complete(). */
extern uint8_t scsi_status;
#endif
