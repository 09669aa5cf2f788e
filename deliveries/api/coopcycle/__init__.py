"""The CoopCycle dialect: everything under /api, and /oauth2/token.

Resources are named by IRIs (`/api/tasks/1`) and travel as JSON-LD with Hydra collections and errors. Its Store is our
`Store`, its Delivery our `Delivery`, its Task our `Task`; its ApiApp is an `ApiClient`, its User a `User`.

Read `urls` first, then `endpoint` (what every call has in common), then the nouns: `deliveries`, `tasks`, `stores`,
`people`. `inputs` reads what is sent, `lookups` turns the names in it into rows, `payloads` prints rows.
"""
