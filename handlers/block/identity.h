/* SPDX-License-Identifier: Apache-2.0 */
/* The name that a block device has of its own, so that two gateways give the same disk the same identity. */
#ifndef BLOCK_IDENTITY_H
#define BLOCK_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TCMUR_API_VERSION 1
#include <tcmur/handler.h>

/* The callback identify() of the handler. */
int block_identify(const struct tcmur_open *open, struct tcmur_identity *identity);
/*
 * Writes the name of the logical unit in VPD page 83h to text. Sets *unique to true if no other unit in the
 * world has this name. Returns false if the page has no name of the logical unit.
 */
bool block_vpd83_name(const uint8_t *page, size_t len, char *text, size_t text_len, bool *unique);
#endif
