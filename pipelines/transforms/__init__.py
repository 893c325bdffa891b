"""Pure DataFrame -> DataFrame functions, shared by the stream and the batch backfill."""
