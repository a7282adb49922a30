"""The bundled encoder's weights and its card; `vectorstore.encoder` reads them."""
