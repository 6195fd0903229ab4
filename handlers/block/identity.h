/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BLOCK_IDENTITY_H
#define BLOCK_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TCMUR_API_VERSION 1
#include <tcmur/handler.h>

/* The handler's callback identify(). */
int block_identify(const struct tcmur_open *open, struct tcmur_identity *identity);
/*
 * Turns a VPD page 83h into the name of the logical unit. unique becomes true if no other unit in the world
 * has this name. Returns false if the page has no name of the unit.
 */
bool block_vpd83_name(const uint8_t *page, size_t len, char *text, size_t text_len, bool *unique);
#endif
