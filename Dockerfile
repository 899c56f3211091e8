FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY specs specs
COPY fixtures fixtures
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.13-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl && rm -rf /wheels && useradd --create-home mockexec
USER mockexec
EXPOSE 8000
ENTRYPOINT ["mockexec"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
