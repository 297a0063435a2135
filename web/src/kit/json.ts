// JSON as it comes from the engine: read field by field, never trusted to hold one.
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
