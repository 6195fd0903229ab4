/* SPDX-License-Identifier: Apache-2.0 */
/* A handler loaded from a file as the daemon does it, around it the double of the daemon (daemon_double.h).
 */
#ifndef ABI_LOADED_H
#define ABI_LOADED_H

#include "daemon_double.h"

/* tcmur_handler_entry() of daemon_double.h then answers the loaded handler. Exits where it cannot be loaded.
 */
void load_handler(const char *path);

extern struct tcmur_lun *changed_lun; /* of the last tcmur_lun_changed() */
extern struct tcmur_scsi *scsi_done;  /* of the last tcmur_scsi_complete() */
extern uint8_t scsi_status;
#endif
