// Starts Swagger UI with the development token authorised for every security scheme.
"use strict";

(() => {
  const config = JSON.parse(document.getElementById("swagger-ui").dataset.config);

  // What Swagger UI remembers of an authorised scheme: one form for each kind.
  function authorize(actions, name, schema) {
    if (schema.type === "oauth2") {
      const token = { access_token: config.token, token_type: "Bearer" };
      actions.authorizeOauth2({ auth: { name, schema }, token });
    } else {
      actions.authorize({ [name]: { name, schema, value: credential(schema) } });
    }
  }

  function credential(schema) {
    if (schema.type === "basic" || (schema.type === "http" && /^basic$/i.test(schema.scheme))) {
      const [username, ...rest] = config.token.split(":");
      return { username, password: rest.join(":") || config.token };
    }
    return config.token;
  }

  // A page may not write the header Cookie; the browser does that from its own store.
  function keepCookie(schema) {
    if (schema.type === "apiKey" && schema.in === "cookie") {
      const value = encodeURIComponent(config.token);
      document.cookie = `${schema.name}=${value}; path=${config.base}; SameSite=Strict`;
    }
  }

  const ui = SwaggerUIBundle({
    url: config.url,
    dom_id: "#swagger-ui",
    deepLinking: true,
    displayRequestDuration: true,
    validatorUrl: null,
    onComplete: () => {
      for (const [name, schema] of Object.entries(config.schemes)) {
        authorize(ui.authActions, name, schema);
        keepCookie(schema);
      }
    },
    // Swagger UI has no form for OpenID Connect; its token is a bearer token.
    requestInterceptor: (request) => {
      const isOpenId = Object.values(config.schemes).some((s) => s.type === "openIdConnect");
      if (isOpenId && !request.headers.Authorization) {
        request.headers.Authorization = `Bearer ${config.token}`;
      }
      return request;
    },
  });
})();
